import { untraced } from "../config/untraced.ts";
import { type AddressGuardOptions, createAddressGuard, lookupAll } from "./address_guard.ts";
import { boundResponse } from "./bound_response.ts";
import { RedirectRefusedError } from "./redirect_refused.ts";
import { TlsTunnel } from "./tls_tunnel.ts";

/** `fetch` towards one upstream: checked, pinned, bounded. */
export interface Outbound {
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  close(): Promise<void>;
}

export interface OutboundOptions
  extends Pick<AddressGuardOptions, "configured" | "allowPrivateNetwork"> {
  /** Largest body of an answer, or of one event of an event stream. */
  readonly responseBytesMax: number;
  /** The service's environment: proxies of the site are honoured. */
  readonly env: () => { readonly [name: string]: string };
  readonly lookup?: AddressGuardOptions["lookup"];
  /** Certificate authorities, PEM, beside those of the system. */
  readonly caCerts?: readonly string[];
}

const REDIRECTS_MAX = 5;
const CLIENTS_MAX = 64;

/** Makes the outbound side of one upstream. Nothing connects before the first request. */
export function createOutbound(options: OutboundOptions): Outbound {
  const guard = createAddressGuard({ ...options, lookup: options.lookup ?? lookupAll });
  const tunnel = new TlsTunnel();
  const plain = new Map<string, Deno.HttpClient>();
  let secure: Deno.HttpClient | null = null;
  let closed = false;

  /** A client that can only connect to what was checked; none where a proxy connects for us. */
  const clientFor = async (url: URL): Promise<Deno.HttpClient | undefined> => {
    guard.checkUrl(url);
    if (usesProxy(url, options.env())) return undefined;
    const [address] = await guard.resolve(url);
    // A look-up that outlives the upstream must not open what nobody would close.
    if (closed) throw new TypeError("The upstream is closed");
    if (url.protocol === "https:") {
      return secure ??= tunnel.client(guard.resolve, options.caCerts ?? []);
    }
    const port = Number(url.port) || 80;
    const key = `${address} ${port}`;
    const known = plain.get(key);
    if (known !== undefined) return known;
    if (plain.size >= CLIENTS_MAX) throw new Error("Too many addresses for one upstream");
    const client = Deno.createHttpClient({
      proxy: { transport: "tcp", hostname: String(address), port },
    });
    plain.set(key, client);
    return client;
  };
  const send = async (url: URL, init: RequestInit): Promise<Response> => {
    const client = await clientFor(url);
    const response = await untraced(() =>
      fetch(url, {
        ...init,
        redirect: "manual",
        ...(client === undefined ? {} : { client }),
      })
    );
    return boundResponse(response, options.responseBytesMax);
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
    async close() {
      closed = true;
      for (const client of plain.values()) client.close();
      plain.clear();
      await tunnel.close();
    },
  };
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/**
 * What to send after a redirect: 307 and 308 repeat the request, 303 asks for the result with GET, the
 * others repeat only what has no body.
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

/** Whether the site's proxy is in charge of this URL. Loopback never is. */
function usesProxy(url: URL, env: { readonly [name: string]: string }): boolean {
  const name = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const proxy = env[name] ?? env[name.toLowerCase()] ?? env.ALL_PROXY ?? env.all_proxy;
  if (!proxy || url.hostname === "localhost" || /^(127\.|\[::1\]$)/.test(url.hostname)) {
    return false;
  }
  const exceptions = (env.NO_PROXY ?? env.no_proxy ?? "").split(",").map((entry) => entry.trim());
  return !exceptions.some((entry) =>
    entry === "*" || entry === url.hostname ||
    entry !== "" && url.hostname.endsWith(entry.startsWith(".") ? entry : `.${entry}`)
  );
}
