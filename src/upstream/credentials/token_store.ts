import { z } from "zod";
import { document } from "../../store/document.ts";
import { keyOf } from "../../store/keys.ts";
import type { Store } from "../../store/store.ts";
import type { SealedStore } from "./user_tokens.ts";

const tokens = document(keyOf.userToken, z.string(), {
  name: "a sealed token of a person's account",
  remedy: "Connect the account again",
});

/** Keeps sealed texts as documents of the store. */
export function createTokenStore(store: Pick<Store, "get" | "put" | "list">): SealedStore {
  const prefix = keyOf.userToken("");
  return {
    async get(place) {
      return (await tokens.at(place).read(store))?.value ?? null;
    },
    async put(place, value, options) {
      await store.put([tokens.at(place).set(value, options)]);
    },
    async delete(place) {
      await store.put([tokens.at(place).remove()]);
    },
    async list(start, limit) {
      const entries = await store.list(keyOf.userToken(start), { limit });
      return entries.map(({ key }) => decodeURIComponent(key.slice(prefix.length)));
    },
  };
}
