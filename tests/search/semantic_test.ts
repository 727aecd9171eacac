/** Ranking by meaning, against a real embeddings server on loopback. */
import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { createEmbedder } from "../../src/search/embedder.ts";
import { openSemantic } from "../../src/search/open_semantic.ts";
import { createSearchIndex, type SearchIndex } from "../../src/search/search_index.ts";
import type { Semantic } from "../../src/search/semantic.ts";
import { toolOf } from "../catalog/tool_fixture.ts";
import { ALL, SEARCH_CONFIG, snapshotOfTools } from "./search_fixture.ts";

const TOOLS = [
  toolOf("cloud", "droplets_create", { description: "Creates a droplet." }),
  toolOf("cloud", "volumes_create", { description: "Creates a volume." }),
  toolOf("mail", "send", { description: "Sends an e-mail." }),
];

/** A model that knows three meanings. */
const MEANINGS = [/droplet|virtual machine|instance|server/i, /volume|disk/i, /mail|letter/i];

function vectorOf(text: string): number[] {
  return [...MEANINGS.map((meaning) => (meaning.test(text) ? 1 : 0)), 0.1];
}

interface Asked {
  readonly model: string;
  readonly input: readonly string[];
  readonly key: string | null;
}

interface EmbeddingServer extends AsyncDisposable {
  readonly url: string;
  readonly asked: Asked[];
}

function serve(answer?: (asked: Asked) => Response | Promise<Response>): EmbeddingServer {
  const asked: Asked[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      strictEqual(new URL(request.url).pathname, "/v1/embeddings");
      const body = { ...await request.json(), key: request.headers.get("authorization") };
      asked.push(body);
      if (answer) return await answer(body);
      // In another order than asked for: the index says which is which.
      const data = body.input.map((text: string, index: number) => ({
        index,
        embedding: vectorOf(text),
      })).reverse();
      return Response.json({ data });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/v1`,
    asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function open(
  url: string,
  more: { now?: () => number; timeoutMs?: number; tools?: typeof TOOLS } = {},
) {
  const warnings: string[] = [];
  const semantic = openSemantic(
    { url, model: "test", apiKey: "${env:KEY}", weight: 0.5, timeoutMs: more.timeoutMs ?? 2_000 },
    {
      fetch,
      resolveSecrets: (text) => Promise.resolve(text === "${env:KEY}" ? "secret" : ""),
      log: (_level, message) => warnings.push(message),
      ...(more.now === undefined ? {} : { now: more.now }),
    },
  ) as Semantic;
  const tools = { list: more.tools ?? TOOLS };
  const snapshots = new Map<readonly unknown[], ReturnType<typeof snapshotOfTools>>();
  const snapshot = () => {
    const known = snapshots.get(tools.list) ?? snapshotOfTools(tools.list, snapshots.size + 1);
    snapshots.set(tools.list, known);
    return known;
  };
  const index = createSearchIndex({ snapshot, config: SEARCH_CONFIG, semantic });
  return { semantic, index, tools, warnings };
}

async function find(index: SearchIndex, query: string, visible = ALL): Promise<string[]> {
  return (await index.search({ query }, visible)).hits.map((hit) => hit.name);
}

Deno.test("a tool is found by what it means, though no word is the same", async () => {
  await using server = serve();
  const { semantic, index } = open(server.url);
  await index.sync();
  await semantic.idle();
  deepStrictEqual((await find(index, "a virtual machine"))[0], "cloud.droplets_create");
  strictEqual(server.asked[0]?.model, "test");
  strictEqual(server.asked[0]?.key, "Bearer secret");
  await semantic.close();
});

Deno.test("an exact name stays first, whatever it means", async () => {
  await using server = serve();
  const { semantic, index } = open(server.url, {
    tools: [...TOOLS, toolOf("box", "server", { description: "Serves dinner." })],
  });
  await index.sync();
  await semantic.idle();
  strictEqual((await find(index, "server"))[0], "box.server");
  await semantic.close();
});

Deno.test("a hidden tool is not found by its meaning either", async () => {
  await using server = serve();
  const { semantic, index } = open(server.url);
  await index.sync();
  await semantic.idle();
  const names = await find(
    index,
    "a virtual machine",
    (tool) => tool.name === "droplets_create" ? null : ALL(tool),
  );
  strictEqual(names.includes("cloud.droplets_create"), false);
  await semantic.close();
});

Deno.test("tools are embedded in batches, and once each, also when they are listed again", async () => {
  await using server = serve();
  const many = Array.from(
    { length: 130 },
    (_, index) => toolOf("many", `tool_${index}`, { description: `Number ${index}` }),
  );
  const { semantic, index, tools } = open(server.url, { tools: many });
  await index.sync();
  await semantic.idle();
  deepStrictEqual(server.asked.map(({ input }) => input.length), [64, 64, 2]);
  tools.list = [...many, ...TOOLS];
  await index.sync();
  await semantic.idle();
  deepStrictEqual(server.asked.slice(3).map(({ input }) => input.length), [3]);
  await find(index, "disk");
  await find(index, "disk");
  strictEqual(server.asked.length, 5, "a query is embedded once");
  await semantic.close();
});

Deno.test("a search does not wait for tools that are still being embedded", async () => {
  const held = Promise.withResolvers<void>();
  await using server = serve(async ({ input }) => {
    if (input.length > 1) await held.promise;
    return Response.json({ data: input.map((text) => ({ embedding: vectorOf(text) })) });
  });
  const { semantic, index } = open(server.url);
  deepStrictEqual(await find(index, "droplet"), ["cloud.droplets_create"]);
  held.resolve();
  await semantic.idle();
  strictEqual((await find(index, "instance"))[0], "cloud.droplets_create");
  await semantic.close();
});

for (
  const [name, answer] of [
    ["is not there", () => new Response("no", { status: 503 })],
    ["answers rubbish", () => new Response("{")],
    ["leaves a vector out", () => Response.json({ data: [] })],
    ["answers with text for numbers", () => Response.json({ data: [{ embedding: ["a"] }] })],
    ["answers with a redirect", () => Response.redirect("http://127.0.0.1:1/", 302)],
  ] as const
) {
  Deno.test(`a search goes on by words when the server ${name}`, async () => {
    await using server = serve(({ input }) =>
      input.length > 1
        ? Response.json({ data: input.map((text) => ({ embedding: vectorOf(text) })) })
        : answer()
    );
    const { semantic, index, warnings } = open(server.url);
    await index.sync();
    await semantic.idle();
    deepStrictEqual(await find(index, "droplet create"), [
      "cloud.droplets_create",
      "cloud.volumes_create",
    ]);
    ok(warnings.includes("Cannot embed a query; searching by words"));
    await semantic.close();
  });
}

Deno.test("a slow server costs a search no more than its time limit", async () => {
  const held = Promise.withResolvers<void>();
  await using server = serve(async ({ input }) => {
    if (input.length === 1) await held.promise;
    return Response.json({ data: input.map((text) => ({ embedding: vectorOf(text) })) });
  });
  const { semantic, index } = open(server.url, { timeoutMs: 50 });
  await index.sync();
  await semantic.idle();
  const startedAt = performance.now();
  deepStrictEqual(await find(index, "droplet"), ["cloud.droplets_create"]);
  ok(performance.now() - startedAt < 5_000);
  held.resolve();
  await semantic.close();
});

Deno.test("after three failures queries are not embedded for a while", async () => {
  let now = 0;
  let queries = 0;
  await using server = serve(({ input }) => {
    if (input.length > 1) {
      return Response.json({ data: input.map((text) => ({ embedding: vectorOf(text) })) });
    }
    queries++;
    return new Response(null, { status: 500 });
  });
  const { semantic, index } = open(server.url, { now: () => now });
  await index.sync();
  await semantic.idle();
  for (let round = 0; round < 5; round++) await find(index, `droplet ${round}`);
  strictEqual(queries, 3);
  now = 30_001;
  await find(index, "droplet again");
  strictEqual(queries, 4);
  await semantic.close();
});

Deno.test("vectors of another model are not compared", async () => {
  await using server = serve(({ input }) =>
    Response.json({
      data: input.map((text) => ({
        embedding: input.length > 1 ? vectorOf(text) : [...vectorOf(text), 1],
      })),
    })
  );
  const { semantic, index } = open(server.url);
  await index.sync();
  await semantic.idle();
  strictEqual((await find(index, "volume"))[0], "cloud.volumes_create");
  await semantic.close();
});

Deno.test("embed() refuses numbers that are not finite", async () => {
  await using server = serve(() =>
    new Response('{"data":[{"embedding":[1e999]}]}', {
      headers: { "content-type": "application/json" },
    })
  );
  const embedder = createEmbedder({
    url: server.url,
    model: "m",
    apiKey: () => Promise.resolve(null),
    fetch,
  });
  await rejects(embedder.embed(["a"], 1_000), /not finite/);
  strictEqual(server.asked[0]?.key, null);
});

Deno.test("openSemantic() is nothing without a configuration", () => {
  const deps = { fetch, resolveSecrets: Promise.resolve.bind(Promise), log: () => {} };
  strictEqual(openSemantic(undefined, deps), undefined);
});
