/** A request got no answer. The message says why, for people, without path and query. */
export class DialError extends Error {
  override readonly name = "DialError";
  /**
   * @param wasSent false if the request surely never left.
   * @param raised the runtime's error. Not the cause, because its message holds the URL.
   */
  constructor(message: string, readonly wasSent: boolean, readonly raised?: unknown) {
    super(message);
  }
}

/** The called URL, and the proxy in use. */
export interface DialedPlace {
  readonly url: URL;
  /** `host:port`; null without a proxy. */
  readonly proxy: string | null;
}

const DETAIL_CHARACTERS_MAX = 160;

/**
 * Turns an error of the runtime into a DialError.
 *
 * @returns the error itself if it is not of the network: an abort, a mistake in the request.
 */
export function explainDial(error: unknown, place: DialedPlace): unknown {
  if (error instanceof DialError || !(error instanceof Error)) return error;
  if (error.name === "AbortError" || error.name === "TimeoutError") return error;
  const text = textOf(error);
  const isConnecting = error instanceof Deno.errors.ConnectionRefused ||
    /client error \(Connect\)|^error trying to connect/i.test(text) ||
    isConnectError(error);
  const isRequest = /client error \(|error sending request|ports? \d+ (is|are) blocked/i.test(text);
  if (!isConnecting && !isRequest) return error;
  const blocked = /Requests to port (\d+) are blocked/.exec(text)?.[1];
  if (blocked !== undefined) {
    return new DialError(`port ${blocked} is one that HTTP clients do not call`, false, error);
  }
  return new DialError(reasonOf(text, place, isConnecting), !isConnecting, error);
}

/** The resolver found no address for the name. */
export function unresolved(hostname: string, error: unknown): DialError {
  const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
  const reason = /EAI_AGAIN|timed? ?out/i.test(`${code} ${error}`)
    ? `the resolver gives no answer for the name ${hostname}${code}`
    : `the name ${hostname} does not resolve${code}`;
  return new DialError(reason, false, error);
}

/** True for an error of the operating system while connecting. */
function isConnectError(error: Error): boolean {
  return [
    Deno.errors.ConnectionRefused,
    Deno.errors.ConnectionReset,
    Deno.errors.TimedOut,
    Deno.errors.AddrNotAvailable,
    Deno.errors.NetworkUnreachable,
  ].some((kind) => error instanceof kind) ||
    /\(os error \d+\)|failed to lookup address/i.test(error.message);
}

function reasonOf(text: string, { url, proxy }: DialedPlace, isConnecting: boolean): string {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const target = `${url.hostname}:${port}`;
  const peer = proxy !== null && isConnecting ? `the proxy ${proxy}` : target;
  const certificate = certificateReason(text, url.hostname);
  if (certificate !== null) return certificate;
  const found = REASONS.find(([pattern]) => pattern.test(text));
  if (found !== undefined) return found[1](peer, text);
  if (proxy !== null && /tunnel/i.test(text)) {
    return `the proxy ${proxy} does not connect to ${target} (${detailOf(text)})`;
  }
  return `${peer} cannot be called (${detailOf(text)})`;
}

type Reason = (peer: string, text: string) => string;

const REASONS: readonly (readonly [pattern: RegExp, reason: Reason])[] = [
  [/dns error|failed to lookup address/i, (peer) => `the name of ${peer} does not resolve`],
  [/connection refused|os error 111/i, (peer) => `${peer} refuses connections`],
  [
    /no route to host|network is unreachable|host is unreachable/i,
    (peer) => `${peer} cannot be reached: there is no route to it`,
  ],
  [/timed out/i, (peer) => `${peer} does not answer: connecting timed out`],
  [
    /InvalidContentType|InvalidMessage/,
    (peer) => `${peer} does not speak TLS; is it an http: address?`,
  ],
  [
    /received fatal alert: (\w+)/i,
    (peer, text) => `${peer} refuses TLS (${/fatal alert: (\w+)/i.exec(text)?.[1]})`,
  ],
  [/handshake eof/i, (peer) => `${peer} closes the connection instead of speaking TLS`],
  [
    /connection closed before message completed|unexpected EOF|broken pipe/i,
    (peer) => `${peer} closed the connection without an answer`,
  ],
  [/connection reset/i, (peer) => `${peer} reset the connection`],
  [
    /invalid HTTP|HTTP\/0\.9|parse error|invalid (header|status)/i,
    (peer) => `${peer} does not answer in HTTP`,
  ],
];

/** The problem with a server's certificate; null if the error is another one. */
function certificateReason(text: string, host: string): string | null {
  const found = /invalid peer certificate: ?([^\n]*)/i.exec(text)?.[1];
  if (found === undefined) return null;
  if (/expired/i.test(found)) return `the certificate of ${host} has expired`;
  if (/not ?valid ?yet/i.test(found)) return `the certificate of ${host} is not valid yet`;
  if (/not ?valid ?for ?name/i.test(found)) return `the certificate of ${host} is for another name`;
  if (/UnknownIssuer|self.?signed|CaUsedAsEndEntity/i.test(found)) {
    return `the certificate of ${host} is from an authority that this machine does not trust`;
  }
  return `the certificate of ${host} is not valid (${found.slice(0, DETAIL_CHARACTERS_MAX)})`;
}

/** The end of the runtime's message, without the URL. */
function detailOf(text: string): string {
  const tail = text.replaceAll(/error sending request for url \([^)]*\):? ?/g, "")
    .replaceAll(/client error \(\w+\): ?/g, "").replaceAll(/\s+/g, " ");
  return tail.slice(-DETAIL_CHARACTERS_MAX).trim() || "no reason is given";
}

/** The messages of an error and its causes. */
function textOf(error: Error): string {
  const texts: string[] = [];
  for (
    let cause: unknown = error;
    cause instanceof Error && texts.length < 5;
    cause = cause.cause
  ) {
    texts.push(cause.message);
  }
  return texts.join("\n");
}
