/**
 * A program with a listener that uses up all its descriptors for a while. Its test limits their
 * number with `ulimit`.
 */
import { createServer } from "node:http";
import { openListener } from "../../src/http/server/listener.ts";

// As the service does: the runtime needs a descriptor for its first signal listener, or it ends.
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
const listener = await openListener({
  place: { host: "127.0.0.1", port: 0 },
  createServer: () => {
    const server = createServer((_request, response) => response.end("ok"));
    server.on("connection", () => listener.noteAccepted());
    return server;
  },
  probeEveryMs: 300,
  log: (message) => console.log(message),
});
const held: Deno.FsFile[] = [];
try {
  for (;;) held.push(Deno.openSync("/dev/null"));
} catch {
  console.log(`starved ${listener.port}`);
}
setTimeout(() => {
  for (const file of held) file.close();
  console.log("fed");
}, 1_000);
