import { z } from "zod";
import type { Sealer } from "../../audit/payloads/sealer.ts";
import { GateError } from "../../model/errors.ts";
import { isFields } from "../../model/json/fields.ts";
import type { Json } from "../../model/json/json.ts";
import { type Principal, principalKey } from "../../model/principal.ts";
import { document } from "../../store/document.ts";
import { keyOf } from "../../store/keys.ts";
import type { Change, Store } from "../../store/store.ts";

/**
 * Results of `execute` that were too large to return: kept for a limited time, encrypted, and
 * readable only by the principal that ran the program. Each principal keeps its newest results, up
 * to a bound.
 */
export interface KeptResults {
  keep(
    principal: Principal,
    executionId: string,
    json: string,
  ): Promise<{ readonly uri: string; readonly bytes: number }>;
  /** @throws {GateError} `ERR_NOT_FOUND` for an unknown, expired, dropped or foreign result. */
  read(principal: Principal, uri: string): Promise<string>;
}

export interface KeptResultsDeps {
  readonly store: Pick<Store, "get" | "put">;
  readonly sealer: Sealer;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called with the size of each result that the store keeps for a principal. */
  readonly onKept: (principal: Principal, bytes: number) => void;
  readonly limits?: KeptResultsLimits;
}

/** Bounds on the results kept for one principal at a time; bytes count as stored. */
export interface KeptResultsLimits {
  readonly bytesMax: number;
  readonly resultsMax: number;
}

/** One store change drops all surplus results, so `resultsMax` is below the keys of a change. */
export const KEPT_RESULTS_LIMITS: KeptResultsLimits = { bytesMax: 67_108_864, resultsMax: 90 };

/**
 * One entry of a principal's list, oldest first; a dropped result stays listed until it expires.
 */
interface Listed {
  readonly id: string;
  readonly bytes: number;
  readonly expiresAtMs: number;
  readonly dropped?: true;
}

const ListSchema: z.ZodType<Listed[]> = z.array(z.object({
  id: z.string(),
  bytes: z.number(),
  expiresAtMs: z.number(),
  dropped: z.literal(true).optional(),
}));

const KEEP_MS = 60 * 60_000;
/** Which results of a principal are kept. */
const lists = document(keyOf.keptResults, ListSchema, {
  name: "the list of a principal's kept results",
  remedy: `Return less; the list is removed ${KEEP_MS / 60_000} minutes after its last change`,
});
/** Dropped results that stay listed, so that a read of one says that it was dropped. */
const DROPPED_MAX = 200;
/** Attempts to change the list while others of the same principal change it. */
const ATTEMPTS_MAX = 20;
const URI = /^toolgate:\/\/executions\/([0-9a-f-]{36})\/result$/;

export function createKeptResults(deps: KeptResultsDeps): KeptResults {
  const { store, sealer, now, limits = KEPT_RESULTS_LIMITS } = deps;
  return {
    async keep(principal, executionId, json) {
      const owner = principalKey(principal);
      const { key, sealed } = await sealer.seal(json, placeOf(owner, executionId));
      const value = { key, sealed };
      const bytes = sealed.length;
      const list = lists.at(owner);
      for (let attempt = 0;; attempt++) {
        const stored = await list.read(store);
        const before = stillListed(stored?.value ?? [], now());
        const added = { id: executionId, bytes, expiresAtMs: now() + KEEP_MS };
        const listed = withinLimits([...before, added], limits);
        const changes: Change[] = [
          list.set(listed, { ttlMs: KEEP_MS, expect: stored?.revision ?? null }),
          { key: keyOf.keptResult(executionId), value, ttlMs: KEEP_MS },
          ...newlyDropped(before, listed).map((id) => ({ key: keyOf.keptResult(id), value: null })),
        ];
        if (await store.put(changes) !== null) break;
        if (attempt < ATTEMPTS_MAX) continue;
        throw new GateError("ERR_BUSY", "Cannot keep the result: too many end at once", {
          hint: "Return less, or run fewer programs at once",
        });
      }
      deps.onKept(principal, bytes);
      return {
        uri: `toolgate://executions/${executionId}/result`,
        bytes: new TextEncoder().encode(json).length,
      };
    },
    async read(principal, uri) {
      const id = URI.exec(uri)?.[1];
      if (id === undefined) throw notFound(uri, HINT);
      const owner = principalKey(principal);
      const entry = await store.get(keyOf.keptResult(id));
      const json = entry === null ? null : await openKept(sealer, entry.value, owner, id);
      if (json !== null) return json;
      const list = stillListed((await lists.at(owner).read(store))?.value ?? [], now());
      if (!list.some((listed) => listed.id === id && listed.dropped)) throw notFound(uri, HINT);
      const mib = Math.floor(limits.bytesMax / 1_048_576);
      throw notFound(
        uri,
        `It was dropped for newer results: ${mib} MiB and ${limits.resultsMax} results are kept; ` +
          "run the program again",
      );
    },
  };
}

const HINT = `Results are kept for ${KEEP_MS / 60_000} minutes; run the program again`;

async function openKept(
  sealer: Sealer,
  value: Json,
  owner: string,
  id: string,
): Promise<string | null> {
  if (!isFields<Json>(value)) return null;
  const { key, sealed } = value;
  if (typeof key === "string" && typeof sealed === "string") {
    return await sealer.open({ key, sealed }, placeOf(owner, id));
  }
  // An older version stored this result without encryption.
  return value.owner === owner && typeof value.json === "string" ? value.json : null;
}

/** Drops the oldest until the rest fits; the newest always stays. */
function withinLimits(list: readonly Listed[], limits: KeptResultsLimits): Listed[] {
  let bytes = 0;
  let count = 0;
  const marked = list.toReversed().map((listed) => {
    if (listed.dropped) return listed;
    const isKept = count === 0 ||
      (bytes + listed.bytes <= limits.bytesMax && count < limits.resultsMax);
    if (!isKept) {
      bytes = limits.bytesMax; // results older than a dropped one are also dropped
      return { ...listed, dropped: true as const };
    }
    bytes += listed.bytes;
    count++;
    return listed;
  });
  let dropped = 0;
  return marked.filter((listed) => !listed.dropped || ++dropped <= DROPPED_MAX).toReversed();
}

function newlyDropped(before: readonly Listed[], after: readonly Listed[]): string[] {
  const kept = new Set(before.filter(({ dropped }) => !dropped).map(({ id }) => id));
  return after.filter(({ id, dropped }) => dropped && kept.has(id)).map(({ id }) => id);
}

/** Entries that have not expired. */
function stillListed(list: readonly Listed[], now: number): Listed[] {
  return list.filter(({ expiresAtMs }) => expiresAtMs > now);
}

/** The context of the seal. It names the owner, so the result cannot be opened for another one. */
function placeOf(owner: string, id: string): string {
  return `toolgate kept result\n${owner}\n${id}`;
}

function notFound(uri: string, hint: string): GateError {
  return new GateError("ERR_NOT_FOUND", `There is no resource ${uri.slice(0, 200)}`, { hint });
}
