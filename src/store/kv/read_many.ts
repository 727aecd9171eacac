/** Keys that the engine reads in one call. */
const KEYS_PER_CALL = 10;

/** Reads any number of rows, in the order of their keys. */
export async function readMany(
  kv: Deno.Kv,
  keys: readonly Deno.KvKey[],
): Promise<Deno.KvEntryMaybe<Uint8Array>[]> {
  const rows: Deno.KvEntryMaybe<Uint8Array>[] = [];
  for (let start = 0; start < keys.length; start += KEYS_PER_CALL) {
    const batch = keys.slice(start, start + KEYS_PER_CALL);
    rows.push(...await kv.getMany<Uint8Array[]>(batch) as Deno.KvEntryMaybe<Uint8Array>[]);
  }
  return rows;
}
