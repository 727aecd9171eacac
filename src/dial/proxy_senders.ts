import { connectThroughProxy } from "./connect.ts";
import { openClient } from "./open_client.ts";
import { sendRequest } from "./send_request.ts";
import type { SiteProxy } from "./site_proxies.ts";
import type { Send, TlsTunnel } from "./tls_tunnel.ts";

/** Sends requests through proxies of the site, and keeps connections for later requests. */
export interface ProxySenders {
  readonly send: (url: URL, init: RequestInit, proxy: SiteProxy) => Promise<Response>;
  readonly close: () => void;
}

/** @param tunnel the caller closes it. */
export function createProxySenders(tunnel: TlsTunnel, caCerts: readonly string[]): ProxySenders {
  const clients = new Map<SiteProxy, Deno.HttpClient>();
  const tunnelled = new Map<SiteProxy, Send>();
  return {
    async send(url, init, proxy) {
      const place = { url, proxy: proxy.name };
      // An HTTP proxy gets the whole URL for http, and a request for a tunnel for https.
      if (url.protocol === "http:" || proxy.url.startsWith("socks")) {
        const client = clients.get(proxy) ?? openClient({ caCerts, proxy });
        clients.set(proxy, client);
        return await sendRequest(url, { ...init, client }, place);
      }
      const send = tunnelled.get(proxy) ?? tunnel.sender(
        (target, signal) => connectThroughProxy(proxy, target, signal),
        caCerts,
      );
      tunnelled.set(proxy, send);
      return await send(url, init);
    },
    close() {
      for (const client of clients.values()) client.close();
      clients.clear();
    },
  };
}
