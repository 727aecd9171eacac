/**
 * Calls a name for which the address check saw a public address, and which a second look-up
 * resolves to this machine. Prints how many connections reached this machine, and through which
 * proxy.
 */
import { siteEnvironment } from "../../src/config/site_environment.ts";
import { createOutbound } from "../../src/upstream/net/outbound_fetch.ts";

const PATIENCE_MS = 1_500;
let reached = 0;
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const accepting = (async () => {
  for await (const connection of listener) {
    reached++;
    connection.close();
  }
})().catch(() => {});
const outbound = createOutbound({
  configured: [],
  allowPrivateNetwork: false,
  responseBytesMax: 1_000,
  env: siteEnvironment,
  lookup: () => Promise.resolve(["93.184.216.34"]),
});
for (const scheme of ["http", "https"]) {
  const url = `${scheme}://localhost:${listener.addr.port}/latest/meta-data`;
  await outbound.fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => {});
}
await outbound.close();
listener.close();
await accepting;
console.log(reached);
