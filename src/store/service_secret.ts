import { z } from "zod";
import { document } from "./document.ts";
import { keyOf } from "./keys.ts";
import type { Store } from "./store.ts";

const secrets = document(keyOf.serviceSecret, z.string().regex(/^[0-9a-f]{64}$/), {
  name: "a secret of the service",
  remedy: "Restore the store from a backup: the secret cannot be made again",
});

/**
 * A random secret of the service itself, the same on every replica of one store. The first use
 * creates it.
 *
 * @returns 32 bytes.
 * @throws {GateError} `ERR_STORE` if the stored value is not such a secret.
 */
export async function serviceSecret(store: Store, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const secret = secrets.at(name);
  const fresh = crypto.getRandomValues(new Uint8Array(32)).toHex();
  await store.put([secret.set(fresh, { expect: null })]); // no effect if the secret exists
  const kept = await secret.read(store);
  if (kept === null) throw new Error(`Secret ${name} cannot be read back`);
  return Uint8Array.fromHex(kept.value);
}
