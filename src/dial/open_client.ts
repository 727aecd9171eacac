import { takeProxyVariables } from "../config/site_environment.ts";
import type { SiteProxy } from "./site_proxies.ts";

export interface ClientOptions {
  /** Certificate authorities, PEM, beside those of the system. */
  readonly caCerts?: readonly string[];
  readonly proxy?: SiteProxy;
  /** Lets a request name a host that is not the one of its URL. */
  readonly allowHost?: boolean;
  /** How long a connection that is not used is kept for a next request. */
  readonly idleMs?: number;
}

/** Makes an HTTP client that goes where its options say, whatever the environment says of proxies. */
export function openClient(options: ClientOptions): Deno.HttpClient {
  const { caCerts, proxy, allowHost, idleMs } = options;
  // The client reads them the moment it is made.
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
