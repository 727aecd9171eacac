import { DialError, explainDial } from "./dial_error.ts";
import type { SiteProxy } from "./site_proxies.ts";
import { writeBytes } from "./socks_handshake.ts";

const HEAD_BYTES_MAX = 8_192;

/** Connects to the host of a URL: to a checked address or through a proxy. */
export type Connect = (url: URL, signal: AbortSignal) => Promise<Deno.Conn>;

/** Connects to the first address that accepts. */
export async function connectFirst(
  addresses: readonly string[],
  url: URL,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  let last: unknown = new Error("No address");
  for (const hostname of addresses) {
    try {
      return await Deno.connect({ hostname, port: Number(url.port) || 443, signal });
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/**
 * Asks an HTTP proxy for a tunnel. Not with Deno's client, which would send the proxy's password
 * through the tunnel to the server behind the proxy.
 *
 * @throws {DialError} with the proxy's answer.
 */
export async function connectThroughProxy(
  proxy: SiteProxy,
  url: URL,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  const target = `${url.hostname}:${url.port || "443"}`;
  const connection = await reachProxy(proxy, url, signal);
  const stop = () => connection.close();
  signal.addEventListener("abort", stop);
  try {
    const { basicAuth } = proxy;
    const lines = [
      `CONNECT ${target} HTTP/1.1`,
      `Host: ${target}`,
      ...(basicAuth === undefined ? [] : [`Proxy-Authorization: ${basicOf(basicAuth)}`]),
      "",
      "",
    ];
    await writeBytes(connection, new TextEncoder().encode(lines.join("\r\n")));
    const head = await readHead(connection);
    const [, status = "", words = ""] = /^HTTP\/1\.[01] (\d{3}) ?([^\r\n]{0,100})/.exec(head) ?? [];
    if (status.startsWith("2")) return connection;
    const answer = status === "" ? "it does not answer in HTTP" : `HTTP ${status} ${words}`.trim();
    throw new DialError(
      `the proxy ${proxy.name} does not connect to ${target}: ${answer}`,
      false,
    );
  } catch (error) {
    if (!signal.aborted) connection.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function reachProxy(proxy: SiteProxy, url: URL, signal: AbortSignal): Promise<Deno.Conn> {
  const { protocol, hostname: host, port } = new URL(proxy.url);
  const hostname = host.replace(/^\[(.*)\]$/, "$1");
  const place = { url, proxy: proxy.name };
  try {
    const isTls = protocol === "https:";
    const connection = await Deno.connect({
      hostname,
      port: Number(port) || (isTls ? 443 : 80),
      signal,
    });
    if (!isTls) return connection;
    const secured = await Deno.startTls(connection, { hostname });
    await secured.handshake();
    return secured;
  } catch (error) {
    throw explainDial(error, place);
  }
}

function basicOf({ username, password }: NonNullable<SiteProxy["basicAuth"]>): string {
  return `Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`;
}

/** Reads up to the blank line. The server sends nothing more before the client speaks. */
async function readHead(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(HEAD_BYTES_MAX);
  let size = 0;
  while (size < buffer.length) {
    const read = await connection.read(buffer.subarray(size));
    if (read === null) break;
    size += read;
    const head = new TextDecoder("latin1").decode(buffer.subarray(0, size));
    if (head.includes("\r\n\r\n")) return head;
  }
  return new TextDecoder("latin1").decode(buffer.subarray(0, size));
}
