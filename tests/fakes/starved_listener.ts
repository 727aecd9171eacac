/**
 * A listener in a process of few descriptors that uses up all of them for a while, as a program: the test
 * beside it limits them with `ulimit`.
 */
import { createServer } from "node:http";
import { openListener } from "../../src/http/server/listener.ts";

// As the service does: the runtime needs a descriptor for the first of these, and ends without one.
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
