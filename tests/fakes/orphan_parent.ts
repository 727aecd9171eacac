/** Starts a server that starts a child of its own, prints their ids, and then waits to be killed. */
import { callOf, openTestUpstreams, rawServer } from "./upstream_parts.ts";

const [journal = ""] = Deno.args;
const upstreams = openTestUpstreams({ mcpServers: { raw: rawServer(journal) } });
const { structuredContent } = await upstreams.call(callOf("raw", "fork"));
console.log(JSON.stringify(structuredContent));
setInterval(() => {}, 1_000);
