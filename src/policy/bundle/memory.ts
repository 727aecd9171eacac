import { keyOf } from "../../store/keys.ts";
import type { Store } from "../../store/store.ts";
import type { BundleMemory } from "../propose_policy.ts";
import type { ActivatedBundle } from "./activation.ts";

/** Remembers the newest bundle in the store, so that a restart cannot go back to an older one. */
export function createBundleMemory(store: Pick<Store, "get" | "put">): BundleMemory {
  return {
    async last() {
      const value = (await store.get(keyOf.activeBundle()))?.value;
      return (value ?? null) as ActivatedBundle | null;
    },
    async remember({ seq, digest }) {
      await store.put([{ key: keyOf.activeBundle(), value: { seq, digest } }]);
    },
  };
}
