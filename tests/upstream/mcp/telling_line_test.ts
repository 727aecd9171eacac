import assert from "node:assert/strict";
import { tellingLine } from "../../../src/upstream/mcp/telling_line.ts";

/** What runtimes and tools write when they end, and the line that says why. */
const LAST_WORDS: { readonly [who: string]: readonly [written: string, telling: string] } = {
  node: [
    `file:///srv/index.mjs:3
throw new Error("ACME_TOKEN is required");
      ^

Error: ACME_TOKEN is required
    at file:///srv/index.mjs:3:7
    at ModuleJob.run (node:internal/modules/esm/module_job:325:25)
    at async ModuleLoader.import (node:internal/modules/esm/loader:606:24)

Node.js v20.20.2`,
    "Error: ACME_TOKEN is required",
  ],
  "node, a module that is missing": [
    `node:internal/modules/cjs/loader:1228
  throw err;
  ^

Error: Cannot find module '/srv/dist/index.js'
    at Module._resolveFilename (node:internal/modules/cjs/loader:1225:15)
    at node:internal/main/run_main_module:36:49 {
  code: 'MODULE_NOT_FOUND',
  requireStack: []
}

Node.js v20.20.2`,
    "Error: Cannot find module '/srv/dist/index.js'",
  ],
  npx: [
    `npm error code E404
npm error 404 Not Found - GET https://packages.example.test/nope - Not found
npm error 404
npm error 404  'nope@*' is not in this registry.
npm error 404
npm error 404 Note that you can also install from a
npm error 404 tarball, folder, http url, or git folder.
npm error A complete log of this run can be found in: /logs/x.log`,
    "npm error 404  'nope@*' is not in this registry.",
  ],
  python: [
    `Traceback (most recent call last):
  File "/srv/server.py", line 3, in <module>
    token = os.environ["ACME_TOKEN"]
            ~~~~~~~~~~^^^^^^^^^^^^^^
  File "<frozen os>", line 714, in __getitem__
KeyError: 'ACME_TOKEN'`,
    "KeyError: 'ACME_TOKEN'",
  ],
  argparse: [
    `usage: server [-h] --db DB
server: error: the following arguments are required: --db`,
    "server: error: the following arguments are required: --db",
  ],
  deno: [
    `error: Uncaught (in promise) Error: ACME_TOKEN is required
throw new Error("ACME_TOKEN is required");
      ^
    at file:///srv/main.ts:1:7`,
    "error: Uncaught (in promise) Error: ACME_TOKEN is required",
  ],
  go: [
    `panic: ACME_TOKEN is required

goroutine 1 [running]:
main.main()
	/srv/main.go:6 +0x25
exit status 2`,
    "panic: ACME_TOKEN is required",
  ],
  rust: [
    `thread 'main' panicked at src/main.rs:2:5:
ACME_TOKEN is required
note: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace`,
    "ACME_TOKEN is required",
  ],
  java: [
    `Exception in thread "main" java.lang.IllegalStateException: start failed
	at Main.main(Main.java:4)
Caused by: java.io.IOException: Connection refused
	at Main.open(Main.java:9)`,
    "Caused by: java.io.IOException: Connection refused",
  ],
  shell: ["sh: 1: nope: not found", "sh: 1: nope: not found"],
  "a login that is awaited": [
    `Please authorize this client by visiting:
https://login.example.test/authorize
`,
    "https://login.example.test/authorize",
  ],
  "a text that says nothing special": ["starting\nstopped", "stopped"],
};

for (const [who, [written, telling]] of Object.entries(LAST_WORDS)) {
  Deno.test(`the telling line of ${who}`, () => {
    assert.equal(tellingLine(written.split("\n")), telling);
  });
}

Deno.test("the telling line is bounded, and there is none where nothing was written", () => {
  assert.equal(tellingLine([]), null);
  assert.equal(tellingLine(["", "  "]), null);
  assert.equal(tellingLine(["Node.js v20.20.2"]), "Node.js v20.20.2");
  assert.equal(tellingLine([`Error: ${"x".repeat(2_000)}`])?.length, 501);
});
