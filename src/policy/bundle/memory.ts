import { z } from "zod";
import { document } from "../../store/document.ts";
import { keyOf } from "../../store/keys.ts";
import type { Store } from "../../store/store.ts";
import type { BundleMemory } from "../propose_policy.ts";
import type { ActivatedBundle } from "./activation.ts";

const ActivatedBundleSchema: z.ZodType<ActivatedBundle> = z.object({
  seq: z.number(),
  digest: z.string(),
});

const activeBundle = document(keyOf.activeBundle, ActivatedBundleSchema, {
  name: "the number of the newest policy bundle",
  remedy: "Restore the store from a backup: without the number an older bundle could be activated",
});

/** Remembers the newest bundle in the store, so that a restart cannot go back to an older one. */
export function createBundleMemory(store: Pick<Store, "get" | "put">): BundleMemory {
  const remembered = activeBundle.at();
  return {
    async last() {
      return (await remembered.read(store))?.value ?? null;
    },
    async remember({ seq, digest }) {
      await store.put([remembered.set({ seq, digest })]);
    },
  };
}
