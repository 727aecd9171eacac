import assert from "node:assert/strict";
import { createSenderSets } from "../../src/dial/sender_sets.ts";
import { joinTo } from "../fakes/join_to.ts";
import { listenRaw, rawAnswer } from "../fakes/raw_listener.ts";

const read = (name: string) =>
  Deno.readTextFile(new URL(`../fakes/tls/${name}.pem`, import.meta.url));
const [authority, cert, key] = await Promise.all(
  ["authority", "certificate", "key"].map(read),
) as [string, string, string];

Deno.test("however often a file of authorities is replaced, requests go through the proxy and old connections end", async () => {
  await using server = listenRaw({
    tls: { cert, key },
    answer: () => rawAnswer("200 OK", {}, "taken"),
  });
  const ended: string[] = [];
  const join = joinTo(server.port);
  await using proxy = listenRaw({
    async connect(request, connection) {
      await join(request, connection);
      ended.push(request.line);
    },
  });
  const place = { url: `http://127.0.0.1:${proxy.port}`, name: "proxy" };
  const sets = createSenderSets(2);
  const send = async (version: number) => {
    // The same authority in a file that differs.
    const url = new URL(`https://127.0.0.1:${server.port}/${version}`);
    const response = await sets.sendersFor([authority, `# ${version}`]).send(url, {}, place);
    assert.equal(await response.text(), "taken");
  };
  for (let version = 0; version < 5; version++) await send(version);
  assert.equal(proxy.requests.length, 5);
  await send(4);
  assert.equal(proxy.requests.length, 5, "the newest set keeps its connection");
  while (ended.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  await send(0);
  assert.equal(proxy.requests.length, 6, "a set that was forgotten is made anew");
  await sets.close();
});
