import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { declareTool } from "../../src/catalog/declare.ts";
import { openStore } from "../../src/store/open_store.ts";
import { decideNow, listingOf, nextChange, openFixture, rawTool } from "./catalog_fixture.ts";

Deno.test("a restart has the tools of the last listing without asking anybody", async () => {
  const store = await openStore("memory:");
  const first = await openFixture({ files: listingOf(rawTool("read")) }, { store });
  await first.catalog.ready();
  await first.catalog.close();

  const second = await openFixture({ files: listingOf() }, { store });
  await second.catalog.ready();
  deepStrictEqual([...second.catalog.snapshot().tools.keys()], ["files.read"]);
  deepStrictEqual(second.asked, []);
  strictEqual(second.catalog.snapshot().servers.get("files")?.status, "stale");
  await second.catalog.close();
});

Deno.test("a tool that changed while the service was down is blocked at the first listing", async () => {
  const store = await openStore("memory:");
  const first = await openFixture({ files: listingOf(rawTool("read")) }, { store });
  await first.catalog.ready();
  await first.catalog.close();

  const changed = rawTool("read", { description: "Does  read" });
  const second = await openFixture({ files: listingOf(changed) }, { store });
  await second.catalog.refresh();
  strictEqual(second.catalog.snapshot().tools.size, 0);
  strictEqual(second.catalog.diff("files", "read")?.change, "cosmetic");
  await second.catalog.close();

  const third = await openFixture({ files: listingOf(changed) }, { store });
  strictEqual(third.catalog.snapshot().quarantined[0]?.reason, "drift");
  strictEqual(third.catalog.diff("files", "read")?.changes[0]?.before, '"Does read."');
  await decideNow(third.catalog, "approve", "files", "read");
  await third.catalog.close();

  const fourth = await openFixture({ files: listingOf(changed) }, { store });
  strictEqual(fourth.catalog.snapshot().tools.get("files.read")?.description, "Does  read");
  await fourth.catalog.close();
});

Deno.test("what the store has of a server that was elsewhere is not taken for the one configured now", async () => {
  const store = await openStore("memory:");
  const listings = { files: listingOf(rawTool("read")) };
  const first = await openFixture(listings, { store, identity: () => "test" });
  await first.catalog.ready();
  await first.catalog.close();

  const same = await openFixture(listings, { store, identity: () => "test" });
  await same.catalog.ready();
  deepStrictEqual([same.asked, same.catalog.snapshot().tools.size], [[], 1]);
  await same.catalog.close();

  const moved = { ...listingOf(rawTool("read"), rawTool("write")), identity: "elsewhere" };
  const other = await openFixture({ files: moved }, { store, identity: () => "elsewhere" });
  strictEqual(other.catalog.snapshot().tools.size, 0);
  await other.catalog.ready();
  deepStrictEqual(other.asked, ["files"]);
  deepStrictEqual(other.catalog.snapshot().quarantined.map(({ reason }) => reason), [
    "drift",
    "pending",
  ]);
  await other.catalog.close();
});

Deno.test("an operation that becomes another request is blocked", async () => {
  const at = (path: string) => ({
    ...listingOf(rawTool("get", { _meta: { "toolgate/http": { method: "get", path } } })),
    isHttpApi: true,
  });
  const { catalog, listings } = await openFixture({ api: at("/users/{id}") });
  await catalog.refresh();
  strictEqual(catalog.snapshot().tools.size, 1);
  listings.set("api", at("/admins/{id}"));
  await catalog.refresh();
  strictEqual(catalog.snapshot().tools.size, 0);
  deepStrictEqual(catalog.diff("api", "get")?.changes, [
    { path: "http.path", before: '"/users/{id}"', after: '"/admins/{id}"' },
  ]);
  await catalog.close();
});

Deno.test("what an operator can act on comes before what else is wrong with a name", async () => {
  const { catalog, listings } = await openFixture({
    files: listingOf(rawTool("read"), rawTool("read")),
  });
  await catalog.refresh();
  const changed = rawTool("read", { description: "Other." });
  listings.set("files", listingOf(changed, changed));
  await catalog.refresh();
  deepStrictEqual(catalog.snapshot().quarantined.map(({ reason }) => reason), [
    "drift",
    "collision",
  ]);
  await catalog.close();
});

Deno.test("a tool that changes back is callable again without an approval", async () => {
  const { catalog, listings } = await openFixture({ files: listingOf(rawTool("read")) });
  await catalog.refresh();
  listings.set("files", listingOf(rawTool("read", { title: "Other" })));
  await catalog.refresh();
  strictEqual(catalog.snapshot().tools.size, 0);
  listings.set("files", listingOf(rawTool("read")));
  await catalog.refresh();
  strictEqual(catalog.snapshot().tools.size, 1);
  deepStrictEqual(catalog.diff("files", "read")?.changes, []);
  await catalog.close();
});

Deno.test("a server that is another one than was approved has to be approved again", async () => {
  const { catalog, listings } = await openFixture({ files: listingOf(rawTool("read")) });
  await catalog.refresh();
  listings.set("files", { ...listingOf(rawTool("read")), identity: "https://elsewhere.example" });
  await catalog.refresh();
  strictEqual(catalog.snapshot().tools.size, 0);
  deepStrictEqual(catalog.diff("files", "read")?.changes.map(({ path }) => path), ["identity"]);
  await catalog.close();
});

Deno.test("pins: trust approves additions and changes, and records them, but not what is blocked", async () => {
  const { catalog, listings, events } = await openFixture(
    { files: listingOf(rawTool("read"), rawTool("wipe")) },
    { config: { refreshEveryMs: 300_000, pins: "trust" } },
  );
  await catalog.refresh();
  await decideNow(catalog, "block", "files", "wipe");
  listings.set(
    "files",
    listingOf(rawTool("read", { title: "New" }), rawTool("wipe"), rawTool("write")),
  );
  await catalog.refresh();
  deepStrictEqual([...catalog.snapshot().tools.keys()], ["files.read", "files.write"]);
  deepStrictEqual(events.at(-1)?.detail?.names, ["tool:read", "tool:write"]);
  await catalog.close();
});

Deno.test("approve() does not happen if it cannot be recorded", async () => {
  let isBroken = false;
  const { catalog, listings } = await openFixture({ files: listingOf(rawTool("read")) }, {
    audit: () => isBroken ? Promise.reject(new Error("disk full")) : Promise.resolve(),
  });
  await catalog.refresh();
  listings.set("files", listingOf(rawTool("read"), rawTool("write")));
  await catalog.refresh();
  isBroken = true;
  await rejects(decideNow(catalog, "approve", "files", "write"), /disk full/);
  strictEqual(catalog.snapshot().tools.size, 1);
  await catalog.close();
});

Deno.test("an approval on one replica reaches the other", async () => {
  const store = await openStore("memory:");
  const one = await openFixture({ files: listingOf(rawTool("read")) }, { store });
  await one.catalog.refresh();
  const two = await openFixture({ files: listingOf(rawTool("read"), rawTool("write")) }, { store });
  await two.catalog.refresh();
  one.listings.set("files", listingOf(rawTool("read"), rawTool("write")));
  await one.catalog.refresh();
  strictEqual(two.catalog.snapshot().tools.has("files.write"), false);
  await decideNow(one.catalog, "approve", "files", "write");
  while (!two.catalog.snapshot().tools.has("files.write")) await nextChange(two.catalog);
  await one.catalog.close();
  await two.catalog.close();
});

Deno.test("a baseline is taken once, whoever is first", async () => {
  const store = await openStore("memory:");
  const one = await openFixture({ files: listingOf(rawTool("read")) }, { store });
  const two = await openFixture({ files: listingOf(rawTool("read"), rawTool("wipe")) }, { store });
  await Promise.all([one.catalog.refresh(), two.catalog.refresh()]);
  const counts = [one, two].map(({ catalog }) => catalog.snapshot().tools.size);
  ok(counts.includes(1), `${counts}`);
  await one.catalog.close();
  await two.catalog.close();
});

Deno.test("a name stays with the tool that had it, also over a restart", async () => {
  const store = await openStore("memory:");
  const config = { refreshEveryMs: 300_000, pins: "trust" } as const;
  const first = await openFixture({ files: listingOf(rawTool("get-user")) }, { store, config });
  await first.catalog.refresh();
  first.listings.set("files", listingOf(rawTool("get_user"), rawTool("get-user")));
  await first.catalog.refresh();
  await first.catalog.close();
  const second = await openFixture({ files: listingOf() }, { store, config });
  const { tools, quarantined } = second.catalog.snapshot();
  strictEqual(tools.get("files.get_user")?.name, "get-user");
  deepStrictEqual(quarantined.map(({ name, reason }) => [name, reason]), [[
    "get_user",
    "collision",
  ]]);
  await second.catalog.close();
});

Deno.test("a server whose name is taken has no tools, and each says why", async () => {
  const { catalog } = await openFixture({
    "my_files": listingOf(rawTool("read")),
    "my-files": listingOf(rawTool("read")),
  });
  await catalog.refresh();
  strictEqual(catalog.snapshot().tools.get("my_files.read")?.server, "my_files");
  deepStrictEqual(catalog.snapshot().quarantined.map(({ server, reason }) => [server, reason]), [
    ["my-files", "collision"],
  ]);
  await catalog.close();
});

Deno.test("resources, templates and prompts are tools that read them", async () => {
  const listing = {
    ...listingOf(rawTool("echo")),
    resources: [
      { uri: "docs://intro", name: "intro", description: "How to begin", mimeType: "text/plain" },
      { uriTemplate: "docs://{topic}/{page}", name: "page" },
    ],
    prompts: [{ name: "echo", arguments: [{ name: "text", required: true }] }],
  };
  const { catalog } = await openFixture({ docs: listing });
  await catalog.refresh();
  const tools = [...catalog.snapshot().tools.values()];
  deepStrictEqual(tools.map(({ id, kind, name }) => [id, kind, name]), [
    ["docs.echo", "tool", "echo"],
    ["docs.read_intro", "resource", "docs://intro"],
    ["docs.read_page", "resource", "docs://{topic}/{page}"],
    ["docs.prompt_echo", "prompt", "echo"],
  ]);
  const page = tools.find(({ id }) => id === "docs.read_page");
  ok(page && declareTool(page).includes("args: { topic: string; page: string }"));
  const prompt = tools.find(({ id }) => id === "docs.prompt_echo");
  ok(prompt && declareTool(prompt).includes("prompt_echo(args: { text: string"));
  await catalog.close();
});

Deno.test("close() does not wait for an upstream that never answers", async () => {
  const { catalog } = await openFixture({ files: listingOf() }, {
    listTools: () => new Promise(() => {}),
  });
  const waiting = catalog.refresh();
  await catalog.close();
  await waiting;
});
