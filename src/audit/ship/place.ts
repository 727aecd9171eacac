/** The stored state of a sink: its acknowledged records, and the batches under way. */
import type { Config } from "../../config/schema.ts";
import { isFields } from "../../model/json/fields.ts";
import { keyOf } from "../../store/keys.ts";
import type { Store } from "../../store/store.ts";
import { firstEntry } from "../chain/read_chain.ts";

export type ShipConfig = Config["audit"]["ship"];

/** A replica that ships holds the sink's lease for this long at a time. */
const LEASE_MS = 60_000;

/**
 * Batches of one chain whose delivery began. A batch changes only if the sink needs smaller ones: a
 * retry sends the same records under the same key, also after a restart or from another replica.
 */
export interface ShipPlan {
  /** Number of the first record. */
  readonly first: number;
  /** Number of the last record of each batch, ascending. */
  readonly ends: readonly number[];
}

/** Depends on address and format: a changed address is a new sink and gets all stored records. */
export function sinkId(config: ShipConfig[number]): string {
  return `${config.format} ${config.to}`;
}

/** The first record of a chain that a sink has not acknowledged; retention stops before it. */
export async function firstUnshipped(
  store: Pick<Store, "get">,
  config: ShipConfig,
  chain: string,
): Promise<number> {
  const cursors = await Promise.all(config.map((one) => readCursor(store, sinkId(one))));
  return Math.min(Infinity, ...cursors.map((cursor) => cursor[chain] ?? 0));
}

export async function readCursor(
  store: Pick<Store, "get">,
  id: string,
): Promise<{ readonly [chain: string]: number }> {
  const value = (await store.get(keyOf.auditCursor(id)))?.value;
  const cursor: { [chain: string]: number } = Object.create(null);
  if (typeof value !== "object" || value === null) return cursor;
  for (const [chain, next] of Object.entries(value)) {
    if (typeof next === "number") cursor[chain] = next;
  }
  return cursor;
}

/** @returns null if no batch of the chain is under way. */
export async function readPlan(
  store: Pick<Store, "get">,
  id: string,
  chain: string,
): Promise<ShipPlan | null> {
  const value = (await store.get(keyOf.auditShipPlan(id, chain)))?.value;
  if (!isFields(value)) return null;
  const { first, ends } = value;
  if (typeof first !== "number" || !Array.isArray(ends) || ends.length === 0) return null;
  return ends.every((end) => typeof end === "number") ? { first, ends: ends as number[] } : null;
}

export async function writePlan(
  store: Store,
  id: string,
  chain: string,
  { first, ends }: ShipPlan,
): Promise<void> {
  await store.put([{ key: keyOf.auditShipPlan(id, chain), value: { first, ends: [...ends] } }]);
}

/** Notes that the sink has all records before `next`; `rest` are the next batches. */
export async function advanceCursor(
  store: Store,
  { id, chain }: { readonly id: string; readonly chain: string },
  { next, rest }: { readonly next: number; readonly rest: readonly number[] },
): Promise<void> {
  const cursor = await readCursor(store, id);
  await store.put([
    { key: keyOf.auditCursor(id), value: { ...cursor, [chain]: next } },
    {
      key: keyOf.auditShipPlan(id, chain),
      value: rest.length === 0 ? null : { first: next, ends: [...rest] },
    },
  ]);
}

/** Only one replica ships to a sink at a time. */
export async function takeLease(store: Store, id: string, holder: string): Promise<boolean> {
  const key = keyOf.auditShipLease(id);
  const held = await store.get(key);
  if (held !== null && held.value !== holder) return false;
  const change = { key, value: holder, expect: held?.revision ?? null, ttlMs: LEASE_MS };
  return (await store.put([change])) !== null;
}

export async function releaseLease(store: Store, id: string, holder: string): Promise<void> {
  const key = keyOf.auditShipLease(id);
  const held = await store.get(key);
  if (held?.value === holder) await store.put([{ key, value: null, expect: held.revision }]);
}

/** Records that wait for a sink. */
export interface Backlog {
  readonly records: number;
  /** Time of the oldest waiting record, milliseconds since the epoch; null if none waits. */
  readonly oldestTs: number | null;
}

export async function readBacklog(
  store: Pick<Store, "get" | "logs" | "head" | "scan">,
  id: string,
): Promise<Backlog> {
  const cursor = await readCursor(store, id);
  let records = 0;
  let oldestTs: number | null = null;
  for (const chain of await store.logs()) {
    const size = ((await store.head(chain))?.seq ?? -1) + 1;
    const oldest = await firstEntry(store, chain, cursor[chain] ?? 0, size);
    if (oldest === null) continue;
    records += size - oldest.seq;
    oldestTs = Math.min(oldestTs ?? Infinity, oldest.ts);
  }
  return { records, oldestTs };
}
