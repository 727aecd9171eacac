import assert from "node:assert/strict";
import { withApp } from "../fakes/app.ts";

const PATHS = ["/mcp", "/api/v1/search"];
const HEADERS = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
  "mcp-protocol-version": "2025-06-18",
};

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
const names = (count: number) =>
  `{${Array.from({ length: count }, (_, index) => `"k${index}":1`).join(",")}}`;
const search = (args: string) =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":${args}}}`;

Deno.test("a body with too much structure is refused with 400 that names the bound", async () => {
  await withApp({}, async ({ app }) => {
    const { url } = await app.listen();
    const bodies: readonly [body: string | Uint8Array<ArrayBuffer>, reason: RegExp][] = [
      [nested(129), /deeper than 128 levels/],
      [nested(2_000_000), /deeper than 128 levels/],
      [search(nested(127)), /deeper than 128 levels/],
      [`${'{"a":'.repeat(690_000)}1${"}".repeat(690_000)}`, /deeper than 128 levels/],
      [names(10_001), /more than 10000 names/],
      [search(names(300_000)), /more than 10000 names/],
      [`[${"1,".repeat(1_000_000)}1]`, /more than 1000000 values/],
      [new Uint8Array([0x22, 0xff, 0x22]), /not UTF-8/],
      [new Uint8Array([0x22, 0xc3]), /not UTF-8/],
      [search("{"), /not JSON/],
    ];
    for (const path of PATHS) {
      for (const [body, reason] of bodies) {
        const response = await fetch(url + path, { method: "POST", headers: HEADERS, body });
        const shown = `${path} ${body.slice(0, 90)}`;
        assert.equal(response.status, 400, shown);
        assert.equal(response.headers.get("content-type"), "application/problem+json");
        const problem = await response.json();
        assert.match(problem.title, reason, shown);
        assert.ok(JSON.stringify(problem).length < 1_000);
      }
    }
  });
});

Deno.test("a body at the bounds is read, and 4 MiB and one byte are not", async () => {
  await withApp({}, async ({ app }) => {
    const { url } = await app.listen();
    const post = async (body: string) => {
      const response = await fetch(`${url}/mcp`, { method: "POST", headers: HEADERS, body });
      return { status: response.status, text: await response.text() };
    };
    for (const args of [nested(126), names(10_000)]) {
      const { status, text } = await post(search(args));
      assert.ok(status === 200 || !/Cannot read the body/.test(text), text.slice(0, 300));
      // What is wrong is told in a few words, however much of it there is.
      assert.ok(text.length < 2_000, String(text.length));
    }
    const padded = (bytes: number) => search('{"query":"x"}').padEnd(bytes, " ");
    assert.equal((await post(padded(4 * 1_048_576))).status, 200);
    assert.equal((await post(padded(4 * 1_048_576 + 1))).status, 413);
  });
});
