import { keyOf } from "../../store/keys.ts";
import type { Store } from "../../store/store.ts";
import type { SealedStore } from "./user_tokens.ts";

/** Keeps sealed texts as documents of the store. */
export function createTokenStore(store: Pick<Store, "get" | "put" | "list">): SealedStore {
  const prefix = keyOf.userToken("");
  return {
    async get(place) {
      const value = (await store.get(keyOf.userToken(place)))?.value;
      return typeof value === "string" ? value : null;
    },
    async put(place, value, options) {
      await store.put([{ key: keyOf.userToken(place), value, ...options }]);
    },
    async delete(place) {
      await store.put([{ key: keyOf.userToken(place), value: null }]);
    },
    async list(start, limit) {
      const entries = await store.list(keyOf.userToken(start), { limit });
      return entries.map(({ key }) => decodeURIComponent(key.slice(prefix.length)));
    },
  };
}
