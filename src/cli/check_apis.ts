import { addressToTry, findUpstream } from "../config/configured_upstreams.ts";
import { siteEnvironment } from "../config/site_environment.ts";
import type { UpstreamSections } from "../config/upstreams/upstream_kinds.ts";
import type { ServerState } from "../model/catalog.ts";
import { createOutbound } from "../upstream/net/outbound_fetch.ts";
import { type Check, warn } from "./doctor_checks.ts";
import { plain } from "./table.ts";

const PATIENCE_MS = 5_000;
const BYTES_MAX = 65_536;

/**
 * Tries to reach each listed HTTP API: its document may be a local file, which does not show that
 * the API answers. Sends one HEAD request without a credential and accepts any answer.
 */
export async function checkApis(
  servers: readonly ServerState[],
  config: UpstreamSections,
): Promise<Check[]> {
  const checks = await Promise.all(servers.map(async ({ server, status }) => {
    const upstream = findUpstream(config, server);
    const address = upstream === undefined ? null : addressToTry(upstream);
    if (address === null || status !== "ready") return null;
    const reason = await whyUnreachable(address);
    if (reason === null) return null;
    return warn(
      `upstream ${server}`,
      `its API cannot be reached: ${plain(reason)}`,
      `Check that ${address.url} answers from this machine`,
    );
  }));
  return checks.filter((check) => check !== null);
}

async function whyUnreachable(
  { url, allowPrivateNetwork }: NonNullable<ReturnType<typeof addressToTry>>,
): Promise<string | null> {
  const outbound = createOutbound({
    configured: [url],
    allowPrivateNetwork,
    responseBytesMax: BYTES_MAX,
    env: siteEnvironment,
  });
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await outbound.fetch(url, { method: "HEAD", redirect: "manual", signal });
    await response.body?.cancel();
    return null;
  } catch (error) {
    if (!(error instanceof Error)) return String(error);
    return error.name === "TimeoutError" ? `no answer within ${PATIENCE_MS} ms` : error.message;
  } finally {
    await outbound.close();
  }
}
