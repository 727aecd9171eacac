/**
 * Removes expired rows. Expiry is our own, not the engine's: a mark `["e", expiresAt, kind, key]`
 * names a row; the kind is `d` for a document, `n` for a counter, `c` for chunks that no row names.
 */
import { chunksOfMark, removeChunks } from "./chunks.ts";
import { commitKv, readKv } from "./commit.ts";
import { decodeRow } from "./document_row.ts";
import { readMany } from "./read_many.ts";

/** Expired rows that one commit removes. */
const TRIM_ROWS = 90;

export async function trimExpired(kv: Deno.Kv, now: () => number): Promise<void> {
  while (await readKv(() => trimBatch(kv, now())));
}

/** @returns true if there may be more. */
async function trimBatch(kv: Deno.Kv, now: number): Promise<boolean> {
  const due: Deno.KvEntry<Uint8Array>[] = [];
  const selector = { start: ["e"], end: ["e", now + 1] };
  for await (const mark of kv.list<Uint8Array>(selector, { limit: TRIM_ROWS })) due.push(mark);
  const orphans = due.filter(({ key }) => key[2] === "c");
  await removeChunks(kv, orphans.map(({ key }) => chunksOfMark(key[3] as string)));
  const named = due.filter(({ key }) => key[2] !== "c");
  const rows = await readMany(kv, named.map(({ key }) => [key[2] as string, key[3] as string]));
  const operation = kv.atomic();
  for (const { key } of due) operation.delete(key);
  for (const [index, entry] of rows.entries()) {
    const row = entry.value === null ? null : decodeRow(entry.value);
    if (row === null || row.expiresAt !== named[index]?.key[1]) continue;
    if (row.chunks !== null) await removeChunks(kv, [row.chunks]);
    operation.check(entry).delete(entry.key);
  }
  // If another writer changes a row, the commit fails, and the next round reads the row again.
  await commitKv(operation);
  return due.length === TRIM_ROWS;
}
