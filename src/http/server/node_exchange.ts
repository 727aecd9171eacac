/** Converts between Node's HTTP server, which has timers, and the edge's Request and Response. */
import type { IncomingMessage, ServerResponse } from "node:http";

const PIECE_BYTES = 65_536;

/**
 * Makes the Request of the edge.
 *
 * @returns null if it may be a smuggled or misdirected request: the answer is 400.
 */
export function requestOf(
  incoming: IncomingMessage,
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal,
  scheme: "http" | "https",
): Request | null {
  const { host } = incoming.headers;
  const encoding = incoming.headers["transfer-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "chunked") return null;
  if (host !== undefined && !/^[\w.:[\]%-]+$/.test(host)) return null;
  const origin = `${scheme}://${host ?? "localhost"}`;
  const target = incoming.url ?? "";
  try {
    const url = target.startsWith("/") ? new URL(origin + target) : new URL(target);
    // A target in absolute form must name the host that the guards check.
    if (url.host !== new URL(origin).host || !/^https?:$/.test(url.protocol)) return null;
    const headers = new Headers();
    for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
      headers.append(incoming.rawHeaders[index] ?? "", incoming.rawHeaders[index + 1] ?? "");
    }
    return new Request(url, { method: incoming.method ?? "GET", headers, body, signal });
  } catch {
    return null; // a URL, method or header that the platform refuses
  }
}

/** The values of a header, joined by commas; null if it is absent. */
export function headerOf(incoming: IncomingMessage, name: string): string | null {
  const value = incoming.headers[name];
  return Array.isArray(value) ? value.join(",") : value ?? null;
}

/** True if the request announces a body that has not ended with its headers. */
export function hasBody(incoming: IncomingMessage): boolean {
  const length = incoming.headers["content-length"];
  return incoming.headers["transfer-encoding"] !== undefined ||
    (length !== undefined && Number(length) > 0);
}

export interface WriteHooks {
  /** Called when the client stops reading, and when it reads again. */
  onWaiting(isWaiting: boolean): void;
}

/** Writes the answer as fast as the client reads it; stops when the client is gone. */
export async function writeResponse(
  response: Response,
  outgoing: ServerResponse,
  hooks: WriteHooks,
): Promise<void> {
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") outgoing.setHeader(name, value);
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader("set-cookie", cookies);
  if (response.body === null || outgoing.req.method === "HEAD") {
    await response.body?.cancel();
    outgoing.end();
    return;
  }
  const reader = response.body.getReader();
  const gone = () => void reader.cancel().catch(() => {});
  outgoing.once("close", gone);
  try {
    await writeBody(reader, outgoing, hooks);
    outgoing.end();
  } catch {
    // The answer failed midway: end the connection, or the part would look complete.
    outgoing.destroy();
  } finally {
    outgoing.off("close", gone);
  }
}

async function writeBody(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  outgoing: ServerResponse,
  hooks: WriteHooks,
): Promise<void> {
  const first = reader.read();
  // The client of a stream needs the headers before the first event.
  if (!await isSoon(first)) outgoing.flushHeaders();
  for (let part = await first; !part.done && !outgoing.destroyed;) {
    const next = reader.read();
    if (!outgoing.headersSent && await isSoon(next) && (await next).done) {
      outgoing.setHeader("content-length", part.value.byteLength);
    }
    next.catch(() => {}); // it is awaited below, perhaps after its failure
    await writePieces(outgoing, part.value, hooks);
    part = await next;
  }
}

/** True if the promise settles in this turn of the event loop. */
async function isSoon(promise: Promise<unknown>): Promise<boolean> {
  const turn = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
  return await Promise.race([promise.then(() => true, () => true), turn]);
}

async function writePieces(
  outgoing: ServerResponse,
  bytes: Uint8Array,
  { onWaiting }: WriteHooks,
): Promise<void> {
  for (let at = 0; at < bytes.byteLength && !outgoing.destroyed; at += PIECE_BYTES) {
    if (outgoing.write(bytes.subarray(at, at + PIECE_BYTES))) continue;
    onWaiting(true);
    await drained(outgoing);
    onWaiting(false);
  }
}

function drained(outgoing: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    outgoing.off("drain", done);
    outgoing.off("close", done);
    resolve();
  };
  outgoing.once("drain", done);
  outgoing.once("close", done);
  if (outgoing.destroyed) done();
  return promise;
}
