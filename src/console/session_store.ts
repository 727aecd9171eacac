import { z } from "zod";
import { API_KEYS, type Principal } from "../model/principal.ts";
import { sha256Hex } from "../model/sha256.ts";
import { document } from "../store/document.ts";
import { keyOf } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import type { ConsoleIdentity } from "./console_deps.ts";

/** Sessions of the console, kept in the store so that every replica knows them. */
export type SessionStore = Pick<
  ConsoleIdentity,
  "openSession" | "sessionPrincipal" | "endSession"
>;

export interface SessionStoreDeps {
  readonly store: Pick<Store, "get" | "put">;
  readonly now: () => number;
  /** The current principal of an API key; null if the key was revoked or has expired. */
  readonly keyPrincipal: (keyId: string) => Promise<Principal | null>;
  /** Name of this process. The local operator's token and session end with it. */
  readonly instance: string;
}

interface StoredSession {
  readonly principal: Principal;
  readonly expiresAtMs: number;
  /** The only process that accepts it; null: all processes do. */
  readonly instance: string | null;
}

const PrincipalSchema: z.ZodType<Principal> = z.object({
  sub: z.string(),
  issuer: z.string(),
  client: z.string(),
  claims: z.record(z.string(), z.unknown()),
  scopes: z.array(z.string()),
  spaces: z.array(z.string()).nullable(),
});

const StoredSessionSchema: z.ZodType<StoredSession> = z.object({
  principal: PrincipalSchema,
  expiresAtMs: z.number(),
  instance: z.string().nullable(),
});

/** The store holds only the hash of an id: a reader of the store cannot take over a session. */
const sessions = document(
  (id: string) => keyOf.consoleSession(sha256Hex(id)),
  StoredSessionSchema,
  {
    name: "a session of the console",
    remedy: "Delete the cookies of this site in the browser, and log in again",
  },
);

/** A working day. Every request looks up the API key again. */
const CREDENTIAL_SESSION_MS = 12 * 3_600_000;
/** Short, because an issuer does not tell us when it locks out a person. */
const ISSUER_SESSION_MS = 3_600_000;

export function createSessionStore(deps: SessionStoreDeps): SessionStore {
  const { store, now } = deps;
  return {
    async openSession(principal, login) {
      const id = crypto.getRandomValues(new Uint8Array(32))
        .toBase64({ alphabet: "base64url", omitPadding: true });
      const expiresAtMs = expiryOf(principal, login, now());
      const session: StoredSession = {
        principal,
        expiresAtMs,
        instance: principal.issuer === "none" ? deps.instance : null,
      };
      const ttlMs = Math.max(1, expiresAtMs - now());
      await store.put([sessions.at(id).set(session, { expect: null, ttlMs })]);
      return { id, expiresAtMs };
    },
    async sessionPrincipal(id) {
      const session = (await sessions.at(id).read(store))?.value ?? null;
      if (session === null) return null;
      if (session.expiresAtMs <= now()) return null;
      if (session.instance !== null && session.instance !== deps.instance) return null;
      const { principal } = session;
      return principal.issuer === API_KEYS ? await deps.keyPrincipal(principal.client) : principal;
    },
    async endSession(id) {
      await store.put([sessions.at(id).remove()]);
    },
  };
}

/** A session never outlives the access token that was shown for it. */
function expiryOf(principal: Principal, login: "credential" | "issuer", now: number): number {
  if (login === "issuer") return now + ISSUER_SESSION_MS;
  const { exp } = principal.claims;
  const endsMs = typeof exp === "number" ? exp * 1_000 : Infinity;
  return Math.min(now + CREDENTIAL_SESSION_MS, endsMs);
}
