/**
 * Finds secrets in a client's configuration file and replaces them by references. The search looks
 * only at names and shapes of values; a value wrongly taken for a secret costs one variable.
 */

/** A secret that was taken out of the file, without its value. */
export interface MovedSecret {
  readonly server: string;
  /** Where it was: `env.GITHUB_TOKEN`, `headers.Authorization`, `args[2]`. */
  readonly place: string;
  /** The environment variable that the reference names. */
  readonly variable: string;
}

/** Assigns variable names. If two values want one name, the second gets its server as prefix. */
export interface VariableNames {
  readonly nameFor: (server: string, wanted: string, value: string) => string;
}

const SECRET_NAME =
  /(token|secret|passw(or)?d|passphrase|\bpwd\b|api[-_]?key|auth|credential|private[-_]?key|access[-_]?key|cookie|session|connection[-_]?string|\bdsn\b|(^|[-_])(key|pat|pw|jwt)$)/i;
const SECRET_VALUE =
  /^(sk|pk|rk|gsk|key|pat|whsec|lin_api|hf|r8)[-_][\w-]{12,}$|^(gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|AKIA|ASIA|AIza|npm_|dop_v1_|shpat_|eyJ)[\w.+/=-]{10,}$|^-----BEGIN /;
const URL_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i;

export function createVariableNames(): VariableNames {
  const values = new Map<string, string>();
  return {
    nameFor(server, wanted, value) {
      const candidates = [toVariable(wanted), toVariable(`${server}_${wanted}`)];
      for (let next = 2; candidates.length < 100; next++) {
        candidates.push(toVariable(`${server}_${wanted}_${next}`));
      }
      const name = candidates.find((candidate) => (values.get(candidate) ?? value) === value) ??
        toVariable(wanted);
      values.set(name, value);
      return name;
    },
  };
}

/** `my-server.key` → `MY_SERVER_KEY` */
export function toVariable(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9]+/g, "_").replaceAll(/^_+|_+$/g, "").toUpperCase();
  return /^[A-Z]/.test(name) ? name : `V_${name}`;
}

/** True if a setting with this name and value seems to hold a secret in plain text. */
export function isLiteralSecret(name: string, value: string): boolean {
  if (value.trim() === "" || value.includes("${")) return false;
  if (/^(true|false|yes|no|on|off|none|null|\d{1,9})$/i.test(value)) return false;
  if (SECRET_VALUE.test(value) || URL_PASSWORD.test(value)) return true;
  if (isFileOrUrl(value)) return false;
  return SECRET_NAME.test(name) || looksRandom(value);
}

/** A header's value with its secret part replaced; `Bearer abc` keeps its scheme. */
export function splitHeader(value: string): { scheme: string; secret: string } {
  const match = /^(Bearer|Basic|Token|Bot|ApiKey)\s+(\S.*)$/i.exec(value);
  return match === null
    ? { scheme: "", secret: value }
    : { scheme: `${match[1]} `, secret: match[2] ?? "" };
}

function isFileOrUrl(value: string): boolean {
  return /^(\.{0,2}\/|~|[A-Za-z]:\\|[a-z][a-z0-9+.-]*:\/\/)/.test(value);
}

/** Long, no spaces, letters of both cases or hex mixed with digits: people do not type that. */
function looksRandom(value: string): boolean {
  if (value.length < 24 || !/^[\w+/=-]+$/.test(value)) return false;
  const digits = value.replaceAll(/\D/g, "").length;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/].filter((kind) => kind.test(value)).length;
  return digits >= 4 && (kinds === 3 || /^[\da-f]+$/i.test(value));
}
