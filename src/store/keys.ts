/**
 * Every key of the store, in one place: no other file spells one.
 *
 * Keys are printable ASCII, parts are separated by `/`, and a prefix ends with `/`.
 */
import { sha256Hex } from "../model/sha256.ts";

export const keyOf = {
  /** API keys by id. */
  apiKey: (id: string) => `api-key/${part(id)}`,
  /** The last good listing of an upstream. */
  snapshot: (server: string) => `catalog/snapshot/${part(server)}`,
  /** What an operator has agreed to of an upstream. */
  pins: (server: string) => `catalog/pins/${part(server)}`,
  /** Shapes of results of an upstream's tools. */
  observed: (server: string) => `catalog/observed/${part(server)}`,
  /** A result of an execution that was too large to return. */
  keptResult: (execution: string) => `kept-result/${part(execution)}`,
  /** Which results of a principal are kept, and which were dropped for newer ones. */
  keptResults: (principalKey: string) => `kept-results/${part(principalKey)}`,
  /** Bytes that a person has made the store keep in one window. */
  storedBytes: (personKey: string, window: string) =>
    `stored-bytes/${part(personKey)}/${part(window)}`,
  /** Number and digest of the policy bundle that was activated last. */
  activeBundle: () => "policy/active-bundle",
  /** A session of the web console, by the hash of its id. */
  consoleSession: (sha256: string) => `console-session/${part(sha256)}`,
  /** A sealed token of a person's account at an upstream, or a login that has begun. */
  userToken: (place: string) => `user-token/${place.split("/").map(part).join("/")}`,
  /** A secret of the service itself, such as the key of session ids. */
  serviceSecret: (name: string) => `service-secret/${part(name)}`,
  /** One counter of a limit, for one subject and one window. */
  quota: (limit: string, unit: string, subject: string, window: string) =>
    `quota/${part(limit)}/${part(unit)}/${part(subject)}/${part(window)}`,
  /** What the audit log needs to go on after a start: size, frontier, head of a chain. */
  auditState: (chain: string) => `audit/state/${part(chain)}`,
  /** The signed note over the newest record of a chain. */
  auditSeal: (chain: string) => `audit/seal/${part(chain)}`,
  /** The signed statement of what retention removed from a chain. */
  auditTrimmed: (chain: string) => `audit/trimmed/${part(chain)}`,
  /** Encrypted payloads of a run of records, by the last record's number. */
  auditPayloads: (chain: string, lastSeq: number) =>
    `audit/payloads/${part(chain)}/${ordered(lastSeq)}`,
  /** One encrypted payload too large for the shared block, by its own id. */
  auditLargePayload: (chain: string, id: string) =>
    `audit/large-payload/${part(chain)}/${part(id)}`,
  /** How far a sink has acknowledged. */
  auditCursor: (sink: string) => `audit/cursor/${part(sink)}`,
  /** The batches of a chain that are on their way to a sink. */
  auditShipPlan: (sink: string, chain: string) => `audit/ship-plan/${part(sink)}/${part(chain)}`,
  /** Which replica ships to a sink at the moment. */
  auditShipLease: (sink: string) => `audit/ship-lease/${part(sink)}`,
} as const;

/** Prefixes for `list`. */
export const prefixOf = {
  apiKeys: () => "api-key/",
  auditPayloads: (chain: string) => `audit/payloads/${part(chain)}/`,
  auditTrimmed: () => "audit/trimmed/",
  auditSeals: () => "audit/seal/",
} as const;

const PART_CHARACTERS_MAX = 180;

/** One part of a key: escaped, and a long one cut and told apart by its hash. */
export function part(text: string): string {
  const escaped = encodeURIComponent(text.toWellFormed());
  if (escaped.length <= PART_CHARACTERS_MAX) return escaped;
  const digest = sha256Hex(text).slice(0, 32);
  return `${escaped.slice(0, PART_CHARACTERS_MAX - 33)}~${digest}`;
}

/** A number as text that sorts like the number. */
export function ordered(number: number): string {
  return String(number).padStart(16, "0");
}
