/** A piece of text to take out. */
export interface Span {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly name: string;
}

/**
 * One shape of secret: texts it starts with, and the whole of it.
 *
 * The pattern is tried only where an anchor stands, is bounded, and may not start inside a run of
 * its own characters. So each run is looked at once and the work stays linear.
 */
interface SecretShape {
  readonly name: string;
  readonly anchors: readonly string[];
  /** Sticky; where it has a group, only the group is taken out. */
  readonly pattern: RegExp;
}

const SECRET_SHAPES: readonly SecretShape[] = [
  {
    name: "aws-key-id",
    anchors: ["AKIA", "ASIA", "ABIA", "ACCA"],
    pattern: /(?<![A-Za-z0-9])A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])/y,
  },
  {
    name: "github-token",
    anchors: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
    pattern: /(?<![A-Za-z0-9_])gh[pousr]_[A-Za-z0-9]{36,255}/y,
  },
  {
    name: "github-token",
    anchors: ["github_pat_"],
    pattern: /(?<![A-Za-z0-9_])github_pat_[A-Za-z0-9_]{22,255}/y,
  },
  {
    name: "gitlab-token",
    anchors: ["glpat-", "gldt-", "glrt-"],
    pattern: /(?<![\w-])gl(?:pat|dt|rt)-[\w-]{20,255}/y,
  },
  {
    name: "slack-token",
    anchors: ["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxo-", "xapp-"],
    pattern: /(?<![A-Za-z0-9-])x(?:ox[abeoprs]|app)-[A-Za-z0-9-]{10,255}/y,
  },
  {
    name: "slack-webhook",
    anchors: ["hooks.slack.com/services/"],
    pattern:
      /hooks\.slack\.com\/services\/[A-Za-z0-9]{1,20}\/[A-Za-z0-9]{1,20}\/[A-Za-z0-9]{1,64}/y,
  },
  {
    name: "stripe-key",
    anchors: ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"],
    pattern: /(?<![A-Za-z0-9_])(?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,255}/y,
  },
  {
    name: "model-key",
    anchors: ["sk-"],
    pattern:
      /(?<![\w-])sk-(?=[\w-]{0,200}[0-9])(?:(?:ant|proj|svcacct|admin|or|lf)-[\w-]{20,255}|[A-Za-z0-9]{32,255})(?![A-Za-z0-9])/y,
  },
  {
    name: "google-key",
    anchors: ["AIza"],
    pattern: /(?<![\w-])AIza[\w-]{35}(?![\w-])/y,
  },
  {
    name: "google-token",
    anchors: ["ya29.", "GOCSPX-"],
    pattern: /(?<![\w-])(?:ya29\.|GOCSPX-)[\w-]{20,2048}/y,
  },
  { name: "npm-token", anchors: ["npm_"], pattern: /(?<![A-Za-z0-9_])npm_[A-Za-z0-9]{36}/y },
  { name: "pypi-token", anchors: ["pypi-AgEI"], pattern: /(?<![\w-])pypi-AgEI[\w-]{50,1024}/y },
  {
    name: "hugging-face-token",
    anchors: ["hf_"],
    pattern: /(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{34,64}(?![A-Za-z0-9])/y,
  },
  {
    name: "sendgrid-key",
    anchors: ["SG."],
    pattern: /(?<![\w-])SG\.[\w-]{16,64}\.[\w-]{16,128}/y,
  },
  {
    name: "digitalocean-token",
    anchors: ["dop_v1_", "doo_v1_", "dor_v1_"],
    pattern: /(?<![A-Za-z0-9_])do[opr]_v1_[a-f0-9]{64}/y,
  },
  {
    name: "shopify-token",
    anchors: ["shpat_", "shpca_", "shppa_", "shpss_"],
    pattern: /(?<![A-Za-z0-9_])shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}/y,
  },
  {
    name: "age-key",
    anchors: ["AGE-SECRET-KEY-1"],
    pattern: /(?<![A-Z0-9-])AGE-SECRET-KEY-1[A-Z0-9]{58}/y,
  },
  {
    name: "jwt",
    anchors: ["eyJ"],
    pattern: /(?<![\w-])eyJ[\w-]{8,4096}\.[\w-]{16,16384}\.[\w-]{8,2048}/y,
  },
  {
    name: "toolgate-key",
    anchors: ["tg_"],
    pattern: /(?<![A-Za-z0-9_])tg_[0-9a-f]{16}_[\w-]{43}/y,
  },
  {
    name: "bearer-token",
    anchors: ["Bearer ", "bearer "],
    pattern: /(?<![A-Za-z0-9])[Bb]earer ([\w.~+/-]{20,4096}={0,2})/dy,
  },
  {
    name: "url-password",
    anchors: ["://"],
    pattern: /:\/\/[^\s/:@"'<>]{0,128}:([^\s/@"'<>]{1,256})@/dy,
  },
];

const PEM_BEGIN = "-----BEGIN ";
/** A key file is some kilobytes; a longer one is taken out up to here and searched again from there. */
const PEM_CHARACTERS_MAX = 65_536;

/** Finds tokens of well-known services, private keys and passwords in URLs. */
export function findSecrets(text: string): Span[] {
  const spans: Span[] = [];
  for (const shape of SECRET_SHAPES) {
    for (const anchor of shape.anchors) findShape(text, shape, anchor, spans);
  }
  findPrivateKeys(text, spans);
  return spans;
}

const DOMAIN_ASCII = asciiCodes(/[A-Za-z0-9.-]/);
const LOCAL_ASCII = asciiCodes(/[A-Za-z0-9._%+'-]/);

/** Finds e-mail addresses. */
export function findEmails(text: string): Span[] {
  const spans: Span[] = [];
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    let start = at;
    while (start > 0 && at - start < 64 && isLocalPart(text, start - 1)) start--;
    let end = at + 1;
    while (end < text.length && end - at <= 254 && isDomainPart(text, end)) end++;
    while (end > at + 1 && (text[end - 1] === "." || text[end - 1] === "-")) end--;
    if (start === at || end === at + 1) continue;
    const domain = text.slice(at + 1, end);
    const dot = domain.lastIndexOf(".");
    if (dot > 0 && domain.length - dot > 2) spans.push({ start, end, name: "email" });
  }
  return spans;
}

const SECRET_NAMES: ReadonlySet<string> = new Set([
  ...["password", "passwd", "passphrase", "clientsecret", "secretkey", "secretaccesskey"],
  ...["awssecretaccesskey", "accesstoken", "refreshtoken", "idtoken", "privatekey", "apikey"],
]);

/** Names whose value is a secret: `password`, `clientSecret`, `api-key`. */
export function isSecretName(name: string): boolean {
  return name.length <= 40 && SECRET_NAMES.has(name.replaceAll(/[^A-Za-z]/g, "").toLowerCase());
}

function findShape(text: string, shape: SecretShape, anchor: string, spans: Span[]): void {
  const { pattern, name } = shape;
  let at = text.indexOf(anchor);
  while (at >= 0) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) {
      at = text.indexOf(anchor, at + 1);
      continue;
    }
    const [start, end] = match.indices?.[1] ?? [at, at + match[0].length];
    spans.push({ start, end, name });
    at = text.indexOf(anchor, Math.max(end, at + 1));
  }
}

function findPrivateKeys(text: string, spans: Span[]): void {
  let start = text.indexOf(PEM_BEGIN);
  while (start >= 0) {
    const head = text.slice(start, start + 80);
    const label = /^-----BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----/.exec(head)?.[1];
    if (label === undefined) {
      start = text.indexOf(PEM_BEGIN, start + 1);
      continue;
    }
    const tail = `-----END ${label}-----`;
    const window = text.slice(start, start + PEM_CHARACTERS_MAX);
    const found = window.indexOf(tail);
    // A key whose end is cut off is still a key.
    const end = start + (found < 0 ? window.length : found + tail.length);
    spans.push({ start, end, name: "private-key" });
    start = text.indexOf(PEM_BEGIN, end);
  }
}

function asciiCodes(pattern: RegExp): ReadonlySet<number> {
  const codes = Array.from({ length: 128 }, (_, code) => code);
  return new Set(codes.filter((code) => pattern.test(String.fromCharCode(code))));
}

function isLocalPart(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code < 128 ? LOCAL_ASCII.has(code) : /[\p{L}\p{N}]/u.test(text[index] ?? "");
}

function isDomainPart(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code < 128 ? DOMAIN_ASCII.has(code) : /[\p{L}\p{N}]/u.test(text[index] ?? "");
}
