import { connectFirst } from "../../dial/connect.ts";
import { DialError, unresolved } from "../../dial/dial_error.ts";
import { openClient } from "../../dial/open_client.ts";
import { createProxySenders } from "../../dial/proxy_senders.ts";
import { sendGetBody } from "../../dial/send_get_body.ts";
import { sendRequest } from "../../dial/send_request.ts";
import { readSiteProxies } from "../../dial/site_proxies.ts";
import { type Send, TlsTunnel } from "../../dial/tls_tunnel.ts";
import {
  type AddressGuardOptions,
  createAddressGuard,
  lookupAll,
  OutboundRefusedError,
} from "./address_guard.ts";
import { boundResponse } from "./bound_response.ts";
import { RedirectRefusedError } from "./redirect_refused.ts";

/** `fetch` towards one upstream: checked, pinned, bounded. */
export interface Outbound {
  /** @throws {OutboundRefusedError | DialError} if no answer began. */
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  close(): Promise<void>;
}

export interface OutboundOptions
  extends Pick<AddressGuardOptions, "configured" | "allowPrivateNetwork"> {
  /** Largest body of an answer, or of one event of an event stream. */
  readonly responseBytesMax: number;
  /** The environment, whose proxy variables are honoured. */
  readonly env: () => { readonly [name: string]: string };
  readonly lookup?: AddressGuardOptions["lookup"];
  /** Certificate authorities, PEM, in addition to those of the system. */
  readonly caCerts?: readonly string[];
}

const REDIRECTS_MAX = 5;
/** Shorter than the 5 s of uvicorn and Node, so that no request meets a connection they close. */
const PLAIN_IDLE_MS = 4_000;
/**
 * These headers belong to the connection: callers and OpenAPI documents cannot set them.
 * @see RFC 9110, 7.6.1
 */
const CONNECTION_HEADERS = [
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Makes the outbound side of one upstream. Nothing connects before the first request. */
export function createOutbound(options: OutboundOptions): Outbound {
  const dial = createDialer(options);
  const send = async (url: URL, init: RequestInit): Promise<Response> => {
    const response = await dial.send(url, { ...init, redirect: "manual" });
    return boundResponse(response, options.responseBytesMax, init.signal);
  };
  return {
    async fetch(input, init = {}) {
      let url = new URL(input);
      let request = init;
      for (let redirects = 0;; redirects++) {
        const response = await send(url, request);
        if (init.redirect === "manual" || !isRedirect(response.status)) return response;
        await response.body?.cancel();
        const next = nextRequest(request, response, url, redirects);
        request = next.request;
        url = next.url;
      }
    },
    close: dial.close,
  };
}

/**
 * Sends requests only to addresses that were checked.
 *
 * For http the URL holds the address and `Host` the name. For https the URL must hold the name that
 * the certificate is for, so a tunnel in this process chooses the address. A proxy of the site
 * resolves names itself: then only the proxy can refuse a name whose address changes after the
 * check.
 */
function createDialer(options: OutboundOptions) {
  const guard = createAddressGuard({ ...options, lookup: options.lookup ?? lookupAll });
  const findProxy = readSiteProxies(options.env());
  const caCerts = options.caCerts ?? [];
  const tunnel = new TlsTunnel();
  const proxied = createProxySenders(tunnel, caCerts);
  let plain: Deno.HttpClient | null = null;
  let secure: Send | null = null;
  let closed = false;

  /** The checked addresses of the host. */
  const resolve = async (url: URL): Promise<readonly string[]> => {
    try {
      return await guard.resolve(url);
    } catch (error) {
      throw error instanceof OutboundRefusedError ? error : unresolved(url.hostname, error);
    }
  };
  /** Call right before opening a client or sender: after the close nothing would close it. */
  const requireOpen = () => {
    if (closed) throw new TypeError("The upstream is closed");
  };
  const sendPlain = async (url: URL, init: RequestInit): Promise<Response> => {
    const addresses = await resolve(url);
    requireOpen();
    const client = plain ??= openClient({ allowHost: true, idleMs: PLAIN_IDLE_MS });
    const headers = new Headers(init.headers);
    headers.set("host", url.host);
    const canRepeat = !(init.body instanceof ReadableStream);
    for (const [index, address] of addresses.entries()) {
      try {
        return await sendRequest(withAddress(url, address), { ...init, headers, client }, {
          url,
          proxy: null,
        });
      } catch (error) {
        const isLast = index === addresses.length - 1;
        if (isLast || !canRepeat || !(error instanceof DialError) || error.wasSent) throw error;
      }
    }
    throw new OutboundRefusedError(`${url.host} has no address`);
  };
  const sendSecure = async (url: URL, init: RequestInit): Promise<Response> => {
    // Checked before the tunnel too, because the tunnel would hide the reason of a refusal.
    await resolve(url);
    requireOpen();
    secure ??= tunnel.sender(
      async (target, signal) => {
        const addresses = await resolve(target);
        requireOpen();
        return await connectFirst(addresses, target, signal);
      },
      caCerts,
    );
    return await secure(url, init);
  };
  return {
    async send(url: URL, init: RequestInit): Promise<Response> {
      guard.checkUrl(url);
      const proxy = findProxy(url);
      const request = { ...init, headers: withoutConnectionHeaders(init.headers) };
      if (hasGetBody(request)) {
        if (proxy !== null) {
          throw new OutboundRefusedError(
            "A GET with a body is not sent through a proxy of the site",
          );
        }
        const [address = ""] = await resolve(url);
        const body = new Uint8Array(await new Response(request.body).arrayBuffer());
        requireOpen();
        const { method = "GET", headers, signal = null } = request;
        return await sendGetBody(url, address, { method, headers, body, signal }, caCerts);
      }
      if (proxy !== null) {
        await guard.checkKnown(url);
        requireOpen();
        return await proxied.send(url, request, proxy);
      }
      return await (url.protocol === "https:" ? sendSecure : sendPlain)(url, request);
    },
    async close(): Promise<void> {
      closed = true;
      plain?.close();
      plain = null;
      proxied.close();
      await tunnel.close();
    },
  };
}

/** `fetch` refuses a GET or HEAD with a body. */
function hasGetBody({ method, body }: RequestInit): boolean {
  return body !== undefined && body !== null && /^(GET|HEAD)$/i.test(method ?? "GET");
}

function withoutConnectionHeaders(given: RequestInit["headers"]): Headers {
  const headers = new Headers(given);
  for (const name of CONNECTION_HEADERS) headers.delete(name);
  return headers;
}

/** The same URL at an address instead of a name. @throws if the address cannot stand in a URL */
function withAddress(url: URL, address: string): URL {
  const host = address.includes(":") ? `[${address}]` : address;
  const port = url.port === "" ? "" : `:${url.port}`;
  return new URL(`${url.protocol}//${host}${port}${url.href.slice(url.origin.length)}`);
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/**
 * The request after a redirect. 307 and 308 repeat the request, 303 asks for the result with GET,
 * other statuses repeat only GET and HEAD.
 *
 * @throws {RedirectRefusedError}
 * @see RFC 9110, section 15.4
 */
function nextRequest(
  request: RequestInit,
  response: Response,
  from: URL,
  redirects: number,
): { readonly request: RequestInit; readonly url: URL } {
  const { status } = response;
  const method = (request.method ?? "GET").toUpperCase();
  const location = response.headers.get("location");
  const url = location !== null && URL.canParse(location, from.href)
    ? new URL(location, from)
    : null;
  const refuse = (why: string) => new RedirectRefusedError(method, status, url, why);
  if (url === null) throw refuse("it does not say where to");
  if (redirects === REDIRECTS_MAX) throw refuse(`there were ${REDIRECTS_MAX} before it`);
  if (url.origin !== from.origin) throw refuse("it leads to another origin");
  if (status === 307 || status === 308 || method === "GET" || method === "HEAD") {
    return { request, url };
  }
  if (status !== 303) throw refuse("it may have been done already");
  const headers = new Headers(request.headers);
  for (const name of ["content-type", "content-encoding", "content-language"]) headers.delete(name);
  return { request: { ...request, method: "GET", body: null, headers }, url };
}
