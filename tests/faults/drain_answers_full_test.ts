import assert from "node:assert/strict";
import type { ExecutionResult } from "../../src/model/execution.ts";
import { openApp } from "../../src/app.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { startCountingUpstream } from "../fakes/counting_upstream.ts";

/** What the client is told, and what the upstream saw, of a program that a closing service meets midway. */
interface Told {
  readonly answer: ExecutionResult & { readonly code?: string };
  readonly touched: readonly number[];
}

/**
 * Runs a program over HTTP whose second call is in the upstream when the service is closed.
 *
 * @param releaseMs after the close the upstream answers the second call; null: never.
 */
async function closeMidway(
  drainMs: number,
  releaseMs: number | null,
  program: string,
): Promise<Told> {
  const second = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const upstream = startCountingUpstream(async (count) => {
    if (count !== 2) return;
    second.resolve();
    await held.promise;
  });
  const folder = await Deno.makeTempDir({ prefix: "toolgate-drain-" });
  const config = ConfigSchema.parse({
    server: { port: 0, drainMs },
    store: "memory:",
    policies: "open",
    preflight: "off",
    sandbox: { warm: 1, isolation: "realm" },
    mcpServers: { counter: { url: upstream.url } },
  });
  const options = { config, source: `${folder}/toolgate.yaml`, baseDir: folder, log: () => {} };
  const app = await openApp(options, createMemoryStore());
  try {
    const { url } = await app.listen();
    const asked = fetch(`${url}/api/v1/execute`, {
      method: "POST",
      headers: { authorization: `Bearer ${app.localToken}`, "content-type": "application/json" },
      body: JSON.stringify({ code: program }),
    });
    await second.promise;
    const closing = app.close();
    if (releaseMs !== null) setTimeout(held.resolve, releaseMs);
    const answer = await (await asked).json() as Told["answer"];
    await closing;
    return { answer, touched: ["a", "b", "c"].map((id) => upstream.touched(id)) };
  } finally {
    held.resolve();
    await app.close();
    await upstream.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const PROGRAM = `
  const done = [];
  for (const id of ["a", "b", "c"]) done.push(await tools.counter.touch({ id }));
  return done;
`;

Deno.test("a program that ends while the service drains has its whole answer", async () => {
  const { answer, touched } = await closeMidway(30_000, 50, PROGRAM);
  assert.deepEqual([answer.status, touched], ["ok", [1, 1, 1]]);
  assert.deepEqual(answer.result, ["touched a", "touched b", "touched c"]);
  assert.deepEqual(answer.calls.map(({ status }) => status), ["ok", "ok", "ok"]);
  assert.equal(answer.recordPending, undefined);
});

Deno.test("a program that the end of the drain stops is told which calls were made", async () => {
  const { answer, touched } = await closeMidway(100, null, PROGRAM);
  assert.deepEqual(touched, [1, 1, 0]);
  assert.notEqual(answer.status, "ok");
  assert.match(answer.executionId, /\S/);
  assert.deepEqual(
    answer.calls.map(({ tool, status }) => [tool, status]),
    [["counter.touch", "ok"], ["counter.touch", "ERR_CANCELLED"]],
  );
  assert.match(answer.error?.hint ?? "", /2 calls were made or begun before this/);
});
