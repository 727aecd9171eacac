/** Starts a server that starts its own child, prints the ids of both, then waits to be killed. */
import { callOf, openTestUpstreams, rawServer } from "./upstream_parts.ts";

const [journal = ""] = Deno.args;
const upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal) } });
const { structuredContent } = await upstreams.call(callOf("raw", "fork"));
console.log(JSON.stringify(structuredContent));
setInterval(() => {}, 1_000);
