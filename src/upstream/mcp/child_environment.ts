/**
 * The variables of the service's environment that every child gets. All others, above all tokens of
 * other upstreams, are left out; a server that needs more names them in its `env`.
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
  // Paths of certificate authorities: without them npx cannot fetch behind a TLS proxy.
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

/** The proxies of the site: without them npx and most servers reach nothing behind a proxy. */
const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()]);

/** The environment of one child: the inherited variables, then those of its configuration. */
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
    // Only a server that names `HTTPS_PROXY: ${env:HTTPS_PROXY}` gets a proxy with a password.
    if (value !== undefined && !value.includes("@")) environment[name] = value;
  }
  return { ...environment, ...configured };
}
