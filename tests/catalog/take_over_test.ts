import assert from "node:assert/strict";
import { createEntryBoard } from "../../src/catalog/entry_board.ts";
import { emptyEntry, failedEntry, type ServerEntry } from "../../src/catalog/server_entry.ts";
import { followReplicas, takeOver } from "../../src/catalog/take_over.ts";
import { createTurns } from "../../src/catalog/turns.ts";

const ENTRY = emptyEntry("crm", "crm", {});

function depsOf(restore: (entry: ServerEntry) => Promise<ServerEntry>) {
  const board = createEntryBoard();
  board.put(ENTRY);
  return { board, loader: { restore }, inTurn: createTurns() };
}

Deno.test("takeOver() shows what the store has", async () => {
  const restored = failedEntry(ENTRY, "restored");
  const deps = depsOf(() => Promise.resolve(restored));
  await takeOver(deps, "crm");
  assert.equal(deps.board.get("crm"), restored);
  await takeOver(deps, "unknown");
});

Deno.test("takeOver() reads again when the server changed here in the meantime", async () => {
  const changed = failedEntry(ENTRY, "changed here");
  const asked: ServerEntry[] = [];
  const deps = depsOf((entry) => {
    if (asked.push(entry) === 1) deps.board.put(changed);
    return Promise.resolve({ ...entry, identifier: "restored" });
  });
  await takeOver(deps, "crm");
  assert.deepEqual(asked, [ENTRY, changed]);
  assert.equal(deps.board.get("crm")?.state.error, "changed here");
  assert.equal(deps.board.get("crm")?.identifier, "restored");
});

Deno.test("followReplicas() goes on after an announcement that it cannot follow", async () => {
  let announce = (_server: string) => {};
  let isStopped = false;
  const logged: string[] = [];
  let fails = true;
  const stop = await followReplicas({
    ...depsOf((entry) => fails ? Promise.reject(new Error("no store")) : Promise.resolve(entry)),
    records: {
      onAnnounced: (listener) => {
        announce = listener;
        return Promise.resolve(() => Promise.resolve(void (isStopped = true)));
      },
    },
    log: (_level, message) => logged.push(message),
  });
  announce("crm");
  await new Promise((resolve) => setTimeout(resolve));
  fails = false;
  announce("crm");
  await stop();
  assert.deepEqual(logged, ["Cannot read what another replica saved"]);
  assert.ok(isStopped);
});
