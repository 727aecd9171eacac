import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import { Readable } from "node:stream";
import { DialError } from "./dial_error.ts";

export interface GetBodyRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal | null;
}

/**
 * Sends a GET with a body, which `fetch` refuses. Some search APIs read their query from it.
 *
 * Uses its own connection, so that no rest of this request can pass as another request.
 *
 * @param address a checked address of the host.
 * @throws {DialError} if no answer began; else the signal's reason.
 * @see RFC 9110, section 9.3.1
 */
export async function sendGetBody(
  url: URL,
  address: string,
  request: GetBodyRequest,
  caCerts: readonly string[],
): Promise<Response> {
  const { method, body, signal } = request;
  const headers = new Headers(request.headers);
  headers.set("host", url.host);
  headers.set("content-length", String(body.length));
  const isSecure = url.protocol === "https:";
  const options = {
    host: address,
    port: Number(url.port) || (isSecure ? 443 : 80),
    path: `${url.pathname}${url.search}`,
    method,
    headers: Object.fromEntries(headers),
    agent: false as const,
    ...(signal === null ? {} : { signal }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const isAddress = isIP(url.hostname.replace(/^\[|\]$/g, "")) !== 0;
  const tls = {
    // The server name selects the certificate; an address is not allowed as a name.
    // @see RFC 6066, section 3
    ...(isAddress ? {} : { servername: url.hostname }),
    ...(caCerts.length === 0 ? {} : { ca: [...caCerts] }),
  };
  const sent = isSecure
    ? https.request({ ...options, ...tls }, resolve)
    : http.request(options, resolve);
  sent.once("error", reject);
  sent.end(body);
  try {
    return responseOf(await promise);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw explain(error, url);
  }
}

/** Explains errors of Node's client, which only this file uses. */
function explain(error: unknown, url: URL): DialError {
  const message = error instanceof Error ? error.message : String(error);
  const isRefused = error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
  return isRefused
    ? new DialError(`${url.host} does not accept connections`, false, error)
    : new DialError(`the connection to ${url.host} failed: ${message.slice(0, 160)}`, true, error);
}

function responseOf(message: IncomingMessage): Response {
  const headers = new Headers();
  for (let index = 0; index + 1 < message.rawHeaders.length; index += 2) {
    headers.append(message.rawHeaders[index] ?? "", message.rawHeaders[index + 1] ?? "");
  }
  const status = message.statusCode ?? 0;
  const hasBody = ![204, 205, 304].includes(status);
  if (!hasBody) message.resume();
  return new Response(hasBody ? Readable.toWeb(message) as ReadableStream<Uint8Array> : null, {
    status,
    statusText: message.statusMessage ?? "",
    headers,
  });
}
