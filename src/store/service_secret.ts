import { keyOf } from "./keys.ts";
import type { Store } from "./store.ts";

/**
 * A random secret of the service itself, the same on every replica of one store; made at its first use.
 *
 * @returns 32 bytes.
 */
export async function serviceSecret(store: Store, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const key = keyOf.serviceSecret(name);
  const fresh = crypto.getRandomValues(new Uint8Array(32)).toHex();
  await store.put([{ key, value: fresh, expect: null }]); // loses against whoever was first
  const kept = (await store.get(key))?.value;
  if (typeof kept !== "string") throw new Error(`Secret ${name} cannot be read back`);
  return Uint8Array.fromHex(kept);
}
