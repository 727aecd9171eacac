/** Two principals in two spaces of one service: what the one may use does not exist for the other. */
import assert from "node:assert/strict";
import { type TestApp, withApp } from "../fakes/app.ts";

const POLICY = `
version: 1
name: two
groups: { shop: { claim: groups, has: shop }, crm: { claim: groups, has: crm } }
tools:
  orders: { read: [list, get], write: [update] }
  customers: { read: [list, get], write: [update] }
spaces:
  storefront: { for: [shop], tools: [orders.*] }
  contacts: { for: [crm], tools: [customers.*] }
rules:
  - { id: all, allow: [read, write] }
  - { id: careful, ask: write, tools: [customers.update], when: args.id == "cus-00001", by: owner }
`;

interface Caller {
  readonly rpc: (method: string, params: object, path?: string) => Promise<string>;
  readonly api: (method: string, path: string, body?: unknown) => Promise<string>;
  readonly execute: (code: string) => Promise<string>;
  readonly search: (input: object) => Promise<string>;
}

async function callerOf({ app, ask, json }: TestApp, name: string, groups: string[]) {
  const { key } = await json<{ key: string }>("POST", "/keys", { name, groups });
  const rpc: Caller["rpc"] = async (method, params, path = "/mcp") => {
    const response = await app.fetch(
      new Request(`http://127.0.0.1${path}`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${key}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      }),
    );
    return `${response.status} ${await response.text()}`;
  };
  const caller: Caller = {
    rpc,
    api: async (method, path, body) => {
      const response = await ask(method, path, body, key);
      return `${response.status} ${await response.text()}`;
    },
    execute: (code) => rpc("tools/call", { name: "execute", arguments: { code } }),
    search: (input) => rpc("tools/call", { name: "search", arguments: input }),
  };
  return { key, caller };
}

/** What changes from one answer to the next whoever asks: ids, durations. */
function steady(answer: string): string {
  return answer
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, "ID")
    .replaceAll(/\\?"(ms|wallMs)\\?":[\d.]+/g, '"$1":0');
}

/**
 * Asks the same of a tool that is hidden and of one that does not exist. Words of a search mean something
 * whether or not there are tools for them, so they are held against each other in tests/search.
 */
const QUESTIONS: { readonly [path: string]: (ask: Caller, name: string) => Promise<string> } = {
  "search by name": (ask, name) => ask.search({ query: "", names: [name] }),
  "search in a server": (ask, name) => ask.search({ query: "", server: name.split(".")[0] }),
  "a call": (ask, name) => ask.execute(`return await tools.${name}({ id: "x" });`),
  "a call with a wrong argument": (ask, name) =>
    ask.execute(`await tools.${name}({ id: 1, y: 2 })`),
  "a caught call": (ask, name) =>
    ask.execute(`try { await tools.${name}({}) } catch (e) { return [e.code, e.message, e.hint] }`),
  "the shape of tools": (ask, name) => {
    const [server, tool] = name.split(".");
    return ask.execute(
      `const s = tools["${server}"]; return [Object.keys(tools), "${server}" in tools, typeof s, s && "${tool}" in s];`,
    );
  },
  "$describe": (ask, name) =>
    ask.execute(`try { return await tools.$describe("${name}") } catch (e) { return e.message }`),
  "a classic name": (ask, name) => ask.rpc("tools/call", { name: name.replace(".", "__") }),
  "the API's tool": (ask, name) => ask.api("GET", `/tools/${name}`),
  "a resource": (ask, name) => ask.rpc("resources/read", { uri: `x://${name}` }),
  "a prompt": (ask, name) => ask.rpc("prompts/get", { name }),
};

Deno.test("a hidden tool answers like one that does not exist, on every path", async () => {
  // With "warn" a program that is done does not wait for its check, so its answer varies.
  for (const preflight of ["off", "block"]) {
    await withApp({ auth: "keys", policy: POLICY, preflight }, async (test) => {
      const { caller } = await callerOf(test, "shopkeeper", ["shop"]);
      const pairs = [["customers.batchGet", "customerz.batchGet"], [
        "orders.refund",
        "orders.qxjwzk",
      ]];
      for (const [hidden = "", missing = ""] of pairs) {
        for (const [path, ask] of Object.entries(QUESTIONS)) {
          const blank = (answer: string, name: string) => {
            const [server = "", tool = ""] = name.split(".");
            const word = (text: string) => new RegExp(`\\b${text}\\b`, "g");
            const masked = steady(answer).replaceAll(name.replace(".", "__"), "NAME");
            return masked.replaceAll(word(server), "SERVER").replaceAll(word(tool), "TOOL");
          };
          const first = blank(await ask(caller, hidden), hidden);
          assert.equal(first, blank(await ask(caller, missing), missing), `${path} of ${hidden}`);
        }
      }
    });
  }
});

Deno.test("nobody hears of the other's space, tools, calls or records", async () => {
  await withApp({ auth: "keys", policy: POLICY }, async (test) => {
    const { caller: shop } = await callerOf(test, "shopkeeper", ["shop"]);
    const { caller: crm } = await callerOf(test, "agent-of-crm", ["crm"]);
    assert.match(
      await crm.execute(`return (await tools.customers.list({})).length`),
      /"status":"ok"/,
    );
    const heard = [
      await shop.rpc("tools/list", {}),
      await shop.rpc("resources/list", {}),
      await shop.rpc("prompts/list", {}),
      await shop.search({ query: "customer contact e-mail", limit: 50, detail: "full" }),
      await shop.search({ query: "custmers" }),
      await shop.search({ query: "" }),
      await shop.execute(
        `return [Object.keys(tools), await tools.$search("customers list update")]`,
      ),
      await shop.api("GET", "/types"),
      await shop.api("GET", "/tools"),
    ];
    for (const answer of heard) {
      assert.match(answer, /^200 /, answer.slice(0, 300));
      // Orders have a customer of their own, so only names of the server's tools tell.
      assert.ok(!/customers|contacts|cus-000|agent-of-crm/.test(answer), answer.slice(0, 600));
    }
    const list = (path: string) => shop.rpc("tools/list", {}, path);
    assert.equal(
      (await list("/s/contacts/mcp")).replaceAll("contacts", "S"),
      (await list("/s/contagts/mcp")).replaceAll("contagts", "S"),
    );
    assert.match(await list("/s/storefront/mcp"), /^200 /);
    for (
      const path of ["/audit", "/audit/export", "/usage", "/keys", "/policy", "/pins", "/health"]
    ) {
      assert.match(await shop.api("GET", path), /^403 /, path);
    }
  });
});

Deno.test("a key of one space finds nothing of another, whatever its groups", async () => {
  await withApp({ auth: "keys", policy: POLICY }, async (test) => {
    const { key } = await test.json<{ key: string }>("POST", "/keys", {
      name: "narrow",
      groups: ["shop", "crm"],
      spaces: ["storefront"],
    });
    const types = await (await test.ask("GET", "/types", undefined, key)).text();
    assert.match(types, /orders: \{/);
    assert.ok(!types.includes("customers"));
    const refused = await test.ask("GET", "/types?space=contacts", undefined, key);
    assert.equal(refused.status, 404);
    await refused.body?.cancel();
    const body = { name: "wide", spaces: ["storefront"], scopes: ["admin"] };
    const made = await test.ask("POST", "/keys", body);
    assert.equal(made.status, 400);
    assert.match(await made.text(), /about the whole service/);
  });
});
