import { siteEnvironment } from "../config/site_environment.ts";
import { openClient } from "./open_client.ts";
import { createSenderSets } from "./sender_sets.ts";
import { sendRequest } from "./send_request.ts";
import { type FindProxy, readSiteProxies } from "./site_proxies.ts";

/**
 * `fetch` towards a place that the operator configured: an issuer, a receiver of records, a model.
 */
export type SiteFetch = typeof siteFetch;

const SENDERS_MAX = 16;

/** The proxies of the process's environment, read once. */
let found: FindProxy | null = null;
/** These senders live as long as the process, like their callers. */
const proxied = createSenderSets(SENDERS_MAX);

/**
 * Sends a request directly or through the proxy of the site for this URL.
 *
 * @param caCerts certificate authorities, PEM, in addition to those of the system.
 * @throws {DialError} that says why there is no answer.
 */
export async function siteFetch(
  input: string | URL,
  init: RequestInit = {},
  caCerts: readonly string[] = [],
): Promise<Response> {
  const url = new URL(input);
  found ??= readSiteProxies(siteEnvironment());
  const proxy = found(url);
  if (proxy !== null) return await proxied.sendersFor(caCerts).send(url, init, proxy);
  if (caCerts.length === 0) return await sendRequest(url, init);
  // The body can still be read after the client closes.
  using client = openClient({ caCerts });
  return await sendRequest(url, { ...init, client });
}
