import { GateError } from "../model/errors.ts";
import { openKvStore } from "./kv/kv_store.ts";
import { createMemoryStore } from "./memory/memory_store.ts";
import type { Store } from "./store.ts";

/**
 * Opens the configured store.
 *
 * @param url `memory:`, `kv:<path>`, `kv+http(s)://…` for a remote Deno KV, or `postgres://…`.
 * @param onFault called once if the store must not be used any more.
 * @throws {GateError} `ERR_CONFIG` for another kind, `ERR_STORE` when the store cannot be opened.
 */
export async function openStore(
  url: string,
  onFault: (error: GateError) => void = () => {},
): Promise<Store> {
  if (url === "memory:") return createMemoryStore();
  if (/^postgres(ql)?:/.test(url)) {
    // Only services that use PostgreSQL load this module.
    const { openPostgresStore } = await import("./postgres/postgres_store.ts");
    return await openPostgresStore(url);
  }
  if (/^kv\+https?:/.test(url)) return await openKvStore(url.slice("kv+".length));
  if (url.startsWith("kv:")) return await openKvStore(url.slice("kv:".length), Date.now, onFault);
  throw new GateError("ERR_CONFIG", `Cannot open the store "${url.replace(/\/\/.*@/, "//…@")}"`, {
    hint: 'Use "kv:<path>" for one process, "postgres://…" for several, or "memory:" for a trial.',
  });
}
