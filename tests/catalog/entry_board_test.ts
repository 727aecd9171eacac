import assert from "node:assert/strict";
import { createEntryBoard } from "../../src/catalog/entry_board.ts";
import { emptyEntry, failedEntry } from "../../src/catalog/server_entry.ts";

const entryOf = (server: string, identifier = server) => emptyEntry(server, identifier, {});

function boardOf(...servers: readonly string[]) {
  const board = createEntryBoard();
  for (const server of servers) board.put(entryOf(server));
  const seen: string[][] = [];
  board.onChange((_snapshot, changed) => seen.push([...changed]));
  return { board, seen };
}

Deno.test("createEntryBoard() makes one snapshot of changes that come together", async () => {
  const { board, seen } = boardOf("crm", "billing");
  const { revision } = board.snapshot();
  const failed = failedEntry(entryOf("crm"), "gone");
  await Promise.all([board.replace(failed), board.replace(entryOf("billing"))]);
  assert.deepEqual(seen, [["crm", "billing"]]);
  assert.equal(board.snapshot().revision, revision + 1);
  assert.equal(board.get("crm"), failed);
});

Deno.test("createEntryBoard() shows what was put only after publish()", () => {
  const { board, seen } = boardOf("crm");
  assert.equal(board.snapshot().servers.size, 0);
  board.publish();
  assert.deepEqual([...board.snapshot().servers.keys()], ["crm"]);
  assert.deepEqual(seen, [[]]);
});

Deno.test("createEntryBoard() finds a server by its name, then by its identifier", () => {
  const { board } = boardOf();
  const named = entryOf("crm", "crm2");
  const identified = entryOf("c-r-m", "crm");
  board.put(identified);
  board.put(named);
  assert.equal(board.find("crm"), named);
  assert.equal(board.find("crm2"), named);
  assert.equal(board.find("c-r-m"), identified);
  assert.equal(board.get("crm2"), undefined);
  assert.throws(() => board.find("crn"), { code: "ERR_NOT_FOUND", hint: /crm/ });
});

Deno.test("createEntryBoard() tells whoever waits for a snapshot that a listener threw", async () => {
  const { board } = boardOf("crm");
  board.onChange(() => {
    throw new Error("no");
  });
  await assert.rejects(board.replace(entryOf("crm")), /no/);
});

Deno.test("createEntryBoard() makes no snapshot after close(), and ends what listens", async () => {
  const { board, seen } = boardOf("crm");
  const { revision } = board.snapshot();
  const replaced = board.replace(entryOf("crm"));
  board.close();
  await replaced;
  assert.deepEqual([seen, board.snapshot().revision], [[], revision]);
});
