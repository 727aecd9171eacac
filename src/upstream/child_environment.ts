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
  return { ...environment, ...configured };
}
