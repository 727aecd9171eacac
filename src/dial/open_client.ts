import { takeProxyVariables } from "../config/site_environment.ts";
import type { SiteProxy } from "./site_proxies.ts";

export interface ClientOptions {
  /** Certificate authorities, PEM, in addition to those of the system. */
  readonly caCerts?: readonly string[];
  readonly proxy?: SiteProxy;
  /** Lets a request set a `Host` that differs from its URL. */
  readonly allowHost?: boolean;
  /** How long an unused connection is kept for the next request. */
  readonly idleMs?: number;
}

/** Makes an HTTP client that uses only the proxy of its options, never one of the environment. */
export function openClient(options: ClientOptions): Deno.HttpClient {
  const { caCerts, proxy, allowHost, idleMs } = options;
  // The new client would read the proxy variables, so remove them first.
  takeProxyVariables();
  return Deno.createHttpClient({
    caCerts: [...caCerts ?? []],
    allowHost: allowHost ?? false,
    ...(idleMs === undefined ? {} : { poolIdleTimeout: idleMs }),
    ...(proxy === undefined ? {} : {
      proxy: {
        url: proxy.url,
        ...(proxy.basicAuth === undefined ? {} : { basicAuth: proxy.basicAuth }),
      },
    }),
  });
}
