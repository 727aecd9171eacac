import { siteEnvironment } from "../config/site_environment.ts";
import { openClient } from "./open_client.ts";
import { createSenderSets } from "./sender_sets.ts";
import { sendRequest } from "./send_request.ts";
import { type FindProxy, readSiteProxies } from "./site_proxies.ts";

/** `fetch` towards a place that the operator named: an issuer, a receiver of records, a model. */
export type SiteFetch = typeof siteFetch;

const SENDERS_MAX = 16;

/** The proxies of the process's environment, which is read once. */
let found: FindProxy | null = null;
/** They live as long as the process: whoever dials here does too. */
const proxied = createSenderSets(SENDERS_MAX);

/**
 * Dials directly, or through the proxy of the site that is in charge.
 *
 * @param caCerts certificate authorities, PEM, beside those of the system.
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
  // The answer's body outlives the client.
  using client = openClient({ caCerts });
  return await sendRequest(url, { ...init, client });
}
