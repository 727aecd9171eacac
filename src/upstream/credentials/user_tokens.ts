import { z } from "zod";
import { sha256Hex } from "../../model/sha256.ts";

/** The store for tokens of people. Its texts are sealed; its keys name server and person. */
export interface SealedStore {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options?: { readonly ttlMs?: number }): Promise<void>;
  delete(key: string): Promise<void>;
  /** Keys that start with a prefix, at most `limit`. */
  list(prefix: string, limit: number): Promise<readonly string[]>;
}

const StoredGrantSchema = z.strictObject({
  value: z.string(),
  expiresAt: z.number().nullable(),
  refreshToken: z.string().nullable(),
});
export type StoredGrant = z.infer<typeof StoredGrantSchema>;

const PendingSchema = z.strictObject({
  server: z.string(),
  principalKey: z.string(),
  verifier: z.string(),
  redirectUrl: z.string(),
});
export type PendingConnection = z.infer<typeof PendingSchema>;

/** The tokens that people gave to toolgate for their accounts at upstreams. */
export interface UserTokens {
  read(server: string, principalKey: string): Promise<StoredGrant | null>;
  write(server: string, principalKey: string, grant: StoredGrant): Promise<void>;
  remove(server: string, principalKey: string): Promise<void>;
  /** The key of any person who has connected, for listing; null if there is none. */
  anyone(server: string): Promise<string | null>;
  /** Remembers a started login for ten minutes. */
  begin(state: string, pending: PendingConnection): Promise<void>;
  /** Returns a remembered login and forgets it; null if it is unknown or expired. */
  finish(state: string): Promise<PendingConnection | null>;
}

const PENDING_MS = 600_000;

/**
 * Seals every value with AES-256-GCM under `key`, bound to its place, so that a row that was copied
 * to another place does not open there.
 */
export function createUserTokens(store: SealedStore, key: CryptoKey): UserTokens {
  const grantKey = (server: string, principalKey: string) =>
    `grant/${encodeURIComponent(server)}/${sha256Hex(principalKey)}`;
  const stateKey = (state: string) => `pending/${sha256Hex(state)}`;
  const read = async (place: string): Promise<unknown> => {
    const sealed = await store.get(place);
    return sealed === null ? null : JSON.parse(await open(key, place, sealed));
  };
  const write = async (place: string, value: unknown, ttlMs?: number) => {
    const sealed = await seal(key, place, JSON.stringify(value));
    await store.put(place, sealed, ttlMs === undefined ? {} : { ttlMs });
  };
  return {
    async read(server, principalKey) {
      const found = await read(grantKey(server, principalKey));
      return found === null ? null : WithOwnerSchema.parse(found).grant;
    },
    async write(server, principalKey, grant) {
      await write(grantKey(server, principalKey), { principalKey, grant });
    },
    async remove(server, principalKey) {
      await store.delete(grantKey(server, principalKey));
    },
    async anyone(server) {
      const [first] = await store.list(`grant/${encodeURIComponent(server)}/`, 1);
      const found = first === undefined ? null : await read(first);
      return found === null ? null : WithOwnerSchema.parse(found).principalKey;
    },
    async begin(state, pending) {
      await write(stateKey(state), pending, PENDING_MS);
    },
    async finish(state) {
      const place = stateKey(state);
      const found = await read(place);
      await store.delete(place);
      return found === null ? null : PendingSchema.parse(found);
    },
  };
}

const WithOwnerSchema = z.strictObject({ principalKey: z.string(), grant: StoredGrantSchema });

async function seal(key: CryptoKey, place: string, text: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(place) },
    key,
    new TextEncoder().encode(text),
  );
  return `${iv.toBase64()}.${new Uint8Array(sealed).toBase64()}`;
}

async function open(key: CryptoKey, place: string, sealed: string): Promise<string> {
  const [iv = "", data = ""] = sealed.split(".", 2);
  const opened = await crypto.subtle.decrypt(
    {
      name: "AES-GCM",
      iv: Uint8Array.fromBase64(iv),
      additionalData: new TextEncoder().encode(place),
    },
    key,
    Uint8Array.fromBase64(data),
  );
  return new TextDecoder().decode(opened);
}
