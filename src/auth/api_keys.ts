import { z } from "zod";
import { GateError } from "../model/errors.ts";
import {
  API_KEYS,
  type Principal,
  type Scope,
  SCOPES,
  SERVICE_SCOPES,
} from "../model/principal.ts";
import { sha256Hex } from "../model/sha256.ts";
import { document } from "../store/document.ts";
import { keyOf, prefixOf } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import type { TokenVerifier } from "./authenticate.ts";

/**
 * API keys: `tg_<id>_<secret>`.
 *
 * The id finds the record. Of the secret (256 random bits) only the SHA-256 is stored. Each request
 * looks its key up, so a revocation counts from the next request.
 */
export interface ApiKeys {
  create(request: ApiKeyRequest): Promise<ApiKey & { readonly key: string }>;
  list(): Promise<ApiKey[]>;
  /** @returns false if there is no such key. */
  revoke(id: string): Promise<boolean>;
  readonly verify: TokenVerifier;
  /** The principal of a key as it is now; null if it was revoked or has expired. */
  principalOf(id: string): Promise<Principal | null>;
}

export interface ApiKeyRequest {
  readonly name: string;
  readonly groups?: readonly string[];
  readonly scopes?: readonly string[];
  /** Null or absent: every space that the policy opens to the key's groups. */
  readonly spaces?: readonly string[] | null;
  /** Milliseconds from now; null or absent: never. */
  readonly expiresInMs?: number | null;
}

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly spaces: readonly string[] | null;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; null: never. */
  readonly expiresAt: string | null;
}

interface StoredApiKey extends ApiKey {
  readonly secretSha256: string;
}

const MomentSchema = z.string().refine(
  (text) => !Number.isNaN(Date.parse(text)),
  "not a point of time",
);

const StoredApiKeySchema: z.ZodType<StoredApiKey> = z.object({
  id: z.string(),
  name: z.string(),
  groups: z.array(z.string()),
  scopes: z.array(z.string()),
  spaces: z.array(z.string()).nullable(),
  createdAt: MomentSchema,
  expiresAt: MomentSchema.nullable(),
  secretSha256: z.string(),
});

const apiKeys = document(keyOf.apiKey, StoredApiKeySchema, {
  name: "an API key",
  remedy: 'Revoke it with `toolgate keys revoke ID` (ID follows "api-key/") and create another',
});

const KEY = /^tg_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
const NAME_CHARACTERS_MAX = 100;
const LIST_MAX = 10_000;
/** Scopes of a key that names none: the two tools. */
const DEFAULT_SCOPES: readonly Scope[] = ["search", "execute"];

export function createApiKeys(
  deps: { readonly store: Store; readonly now: () => number },
): ApiKeys {
  const isExpired = ({ expiresAt }: ApiKey) =>
    expiresAt !== null && Date.parse(expiresAt) <= deps.now();
  return {
    async create(request) {
      const record = describe(request, deps.now());
      const secret = crypto.getRandomValues(new Uint8Array(32))
        .toBase64({ alphabet: "base64url", omitPadding: true });
      const stored: StoredApiKey = { ...record, secretSha256: sha256Hex(secret) };
      const written = await deps.store.put([
        apiKeys.at(record.id).set(stored, { expect: null }),
      ]);
      if (written === null) {
        throw new GateError("ERR_STORE", "Cannot create the key: its id is taken", {
          hint: "Try again",
        });
      }
      return { ...record, key: `tg_${record.id}_${secret}` };
    },
    async list() {
      const entries = await deps.store.list(prefixOf.apiKeys(), { limit: LIST_MAX });
      return entries.map((entry) => withoutSecret(apiKeys.valueOf(entry)));
    },
    async revoke(id) {
      const place = apiKeys.at(id);
      // Not `read`: an unreadable record must be revocable too.
      if (await deps.store.get(place.key) === null) return false;
      await deps.store.put([place.remove()]);
      return true;
    },
    async verify(token) {
      const match = KEY.exec(token);
      if (match === null) return null;
      const [, id = "", secret = ""] = match;
      const stored = (await apiKeys.at(id).read(deps.store))?.value ?? null;
      if (stored === null) return null;
      // Compares hashes of a 256-bit secret, so the timing of the comparison reveals nothing
      // useful.
      if (stored.secretSha256 !== sha256Hex(secret)) return null;
      return isExpired(stored) ? null : principalOf(stored);
    },
    async principalOf(id) {
      const stored = (await apiKeys.at(id).read(deps.store))?.value ?? null;
      return stored === null || isExpired(stored) ? null : principalOf(stored);
    },
  };
}

function describe(request: ApiKeyRequest, now: number): ApiKey {
  const name = request.name.trim();
  if (name === "" || name.length > NAME_CHARACTERS_MAX) {
    throw badKey(`its name must have 1 to ${NAME_CHARACTERS_MAX} characters`, "Pass --name");
  }
  const scopes = request.scopes ?? DEFAULT_SCOPES;
  const unknown = scopes.find((scope) => !isScope(scope));
  if (unknown !== undefined) {
    throw badKey(`scope "${unknown}" does not exist`, `Scopes are ${SCOPES.join(", ")}`);
  }
  const wide = scopes.find((scope) => SERVICE_SCOPES.includes(scope));
  if (wide !== undefined && (request.spaces ?? null) !== null) {
    throw badKey(
      `scope "${wide}" is about the whole service, and the key is limited to spaces`,
      `Leave out --spaces or the scope; make two keys if one program needs both`,
    );
  }
  if (
    request.expiresInMs !== undefined && request.expiresInMs !== null && request.expiresInMs <= 0
  ) {
    throw badKey("it would have expired already", "Pass --expires like 90d");
  }
  return {
    id: crypto.getRandomValues(new Uint8Array(8)).toHex(),
    name,
    groups: request.groups ?? [],
    scopes,
    spaces: request.spaces ?? null,
    createdAt: new Date(now).toISOString(),
    expiresAt: request.expiresInMs === undefined || request.expiresInMs === null
      ? null
      : new Date(now + request.expiresInMs).toISOString(),
  };
}

function principalOf(key: ApiKey): Principal {
  return {
    sub: key.name,
    issuer: API_KEYS,
    client: key.id,
    claims: { groups: key.groups },
    // Records, keys and policy are not divided by space: a key limited to spaces must not read or
    // change those of other spaces.
    scopes: key.spaces === null
      ? key.scopes
      : key.scopes.filter((scope) => !SERVICE_SCOPES.includes(scope)),
    spaces: key.spaces,
  };
}

/** toolgate's own scopes, and scopes that the operator's rules ask for (`github:write`). */
function isScope(scope: string): boolean {
  return (SCOPES as readonly string[]).includes(scope) || /^[\w.-]+:[\w.:-]+$/.test(scope);
}

function withoutSecret({ secretSha256: _, ...key }: StoredApiKey): ApiKey {
  return key;
}

function badKey(state: string, hint: string): GateError {
  return new GateError("ERR_BAD_REQUEST", `Cannot create the key: ${state}`, { hint });
}
