/**
 * Stores values above the engine's value bound as chunks.
 *
 * Chunks have a fresh id and are complete before a row names them, so a reader never sees half a
 * value. While no row names them, a mark `["e", at, "c", [id, count]]` lets `trim` remove them.
 */
import { commitKv } from "./commit.ts";
import type { ChunkList } from "./document_row.ts";

const CHUNKS_PER_COMMIT = 10;
const READS_PER_CALL = 10;
const DELETIONS_PER_COMMIT = 500;
const NOTHING = new Uint8Array(0);

/** @returns the value's text; null if a chunk has been removed. */
export async function loadChunks(kv: Deno.Kv, chunks: ChunkList): Promise<string | null> {
  const keys = Array.from({ length: chunks.count }, (_, index) => ["c", chunks.id, index]);
  const decoder = new TextDecoder();
  let text = "";
  for (let start = 0; start < keys.length; start += READS_PER_CALL) {
    const batch = await kv.getMany<Uint8Array[]>(keys.slice(start, start + READS_PER_CALL));
    for (const { value } of batch) {
      if (value === null) return null;
      text += decoder.decode(value as Uint8Array, { stream: true });
    }
  }
  return text + decoder.decode();
}

/** @param orphanAt when `trim` may remove the chunks if no row names them by then. */
export async function writeChunks(
  kv: Deno.Kv,
  chunks: ChunkList,
  parts: readonly Uint8Array[],
  orphanAt: number,
): Promise<void> {
  for (let start = 0; start < parts.length; start += CHUNKS_PER_COMMIT) {
    const operation = kv.atomic();
    if (start === 0) markOrphan(operation, chunks, orphanAt);
    for (const [offset, part] of parts.slice(start, start + CHUNKS_PER_COMMIT).entries()) {
      operation.set(["c", chunks.id, start + offset], part);
    }
    await commitKv(operation);
  }
}

export async function removeChunks(kv: Deno.Kv, lists: readonly ChunkList[]): Promise<void> {
  for (const { id, count } of lists) {
    for (let start = 0; start < count; start += DELETIONS_PER_COMMIT) {
      const operation = kv.atomic();
      for (let index = start; index < Math.min(count, start + DELETIONS_PER_COMMIT); index++) {
        operation.delete(["c", id, index]);
      }
      await commitKv(operation);
    }
  }
}

/** Removes chunks that no row names, then their marks; a mark stays while its chunks exist. */
export async function removeOrphans(
  kv: Deno.Kv,
  lists: readonly ChunkList[],
  orphanAt: number,
): Promise<void> {
  if (lists.length === 0) return;
  await removeChunks(kv, lists);
  const operation = kv.atomic();
  for (const chunks of lists) unmarkOrphan(operation, chunks, orphanAt);
  await commitKv(operation);
}

/** Lets `trim` remove the chunks from `at` on. */
export function markOrphan(operation: Deno.AtomicOperation, chunks: ChunkList, at: number): void {
  operation.set(orphanKey(chunks, at), NOTHING);
}

export function unmarkOrphan(operation: Deno.AtomicOperation, chunks: ChunkList, at: number): void {
  operation.delete(orphanKey(chunks, at));
}

function orphanKey({ id, count }: ChunkList, at: number): Deno.KvKey {
  return ["e", at, "c", JSON.stringify([id, count])];
}

/** The chunks that a mark's last part names. */
export function chunksOfMark(text: string): ChunkList {
  const [id, count] = JSON.parse(text) as [string, number];
  return { id, count };
}
