/**
 * What a child process may know of the service's environment. Everything else, above all tokens of
 * other upstreams, stays out; a server that needs more names it in its `env`.
 */
const INHERITED = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "LANGUAGE",
  "LC_ALL",
  "LC_CTYPE",
  "SHELL",
  "TERM",
  "TMPDIR",
  "TMP",
  "TEMP",
  "TZ",
  // Where certificate authorities lie: without them npx cannot fetch behind a TLS proxy.
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  // Windows: without these neither Node nor Python starts.
  "SystemRoot",
  "SystemDrive",
  "ComSpec",
  "PATHEXT",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
  "ProgramFiles",
];

/** Where the proxies of the site are: without them npx and most servers reach nothing behind one. */
const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()]);

/** The environment of one child: the allowed names of ours, then what its configuration adds. */
export function childEnvironment(
  own: { readonly [name: string]: string },
  configured: { readonly [name: string]: string },
): { [name: string]: string } {
  const environment: { [name: string]: string } = {};
  for (const name of INHERITED) {
    const value = own[name];
    // A value that starts with "()" is an exported shell function.
    if (value !== undefined && !value.startsWith("()")) environment[name] = value;
  }
  for (const name of PROXIES) {
    const value = own[name];
    // A password is given to the servers that name it, `HTTPS_PROXY: ${env:HTTPS_PROXY}`, and to no others.
    if (value !== undefined && !value.includes("@")) environment[name] = value;
  }
  return { ...environment, ...configured };
}
