/**
 * All keys of the store; no other file spells a key.
 *
 * Keys are printable ASCII, parts are separated by `/`, and a prefix ends with `/`.
 */
import { sha256Hex } from "../model/sha256.ts";

export const keyOf = {
  /** API keys by id. */
  apiKey: (id: string) => `api-key/${part(id)}`,
  /** The last good listing of an upstream. */
  snapshot: (server: string) => `catalog/snapshot/${part(server)}`,
  /** The pinned tools of an upstream. */
  pins: (server: string) => `catalog/pins/${part(server)}`,
  /** Shapes of observed results of an upstream's tools. */
  observed: (server: string) => `catalog/observed/${part(server)}`,
  /** A result of an execution that was too large to return. */
  keptResult: (execution: string) => `kept-result/${part(execution)}`,
  /** The list of a principal's kept results, and of those dropped for newer ones. */
  keptResults: (principalKey: string) => `kept-results/${part(principalKey)}`,
  /** Bytes that one person's work has added to the store in one window. */
  storedBytes: (personKey: string, window: string) =>
    `stored-bytes/${part(personKey)}/${part(window)}`,
  /** Number and digest of the last activated policy bundle. */
  activeBundle: () => "policy/active-bundle",
  /** A session of the web console, by the hash of its id. */
  consoleSession: (sha256: string) => `console-session/${part(sha256)}`,
  /** A sealed token of a person's account at an upstream, or a login under way. */
  userToken: (place: string) => `user-token/${place.split("/").map(part).join("/")}`,
  /** A secret of the service itself, such as the key of session ids. */
  serviceSecret: (name: string) => `service-secret/${part(name)}`,
  /** One counter of a limit, for one subject and one window. */
  quota: (limit: string, unit: string, subject: string, window: string) =>
    `quota/${part(limit)}/${part(unit)}/${part(subject)}/${part(window)}`,
  /** State of a chain at its last checkpoint: size, frontier, head, open work. */
  auditState: (chain: string) => `audit/state/${part(chain)}`,
  /** The signed note over the newest record of a chain. */
  auditSeal: (chain: string) => `audit/seal/${part(chain)}`,
  /** The signed statement about the records that retention removed from a chain. */
  auditTrimmed: (chain: string) => `audit/trimmed/${part(chain)}`,
  /** Encrypted payloads of a run of records, by the last record's number. */
  auditPayloads: (chain: string, lastSeq: number) =>
    `audit/payloads/${part(chain)}/${ordered(lastSeq)}`,
  /** Encrypted payloads of one record that are too large for the shared box, by their own id. */
  auditLargePayload: (chain: string, id: string) =>
    `audit/large-payload/${part(chain)}/${part(id)}`,
  /** For each chain, the first record that a sink has not acknowledged. */
  auditCursor: (sink: string) => `audit/cursor/${part(sink)}`,
  /** The batches of a chain whose delivery to a sink is under way. */
  auditShipPlan: (sink: string, chain: string) => `audit/ship-plan/${part(sink)}/${part(chain)}`,
  /** The replica that ships to a sink at the moment. */
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

/** Escapes one part of a key; cuts a long part and adds its hash. */
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
