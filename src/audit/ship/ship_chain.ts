import { DialError } from "../../dial/dial_error.ts";
import type { Store } from "../../store/store.ts";
import { firstEntry } from "../chain/read_chain.ts";
import { gatherBatch, type MeasuredBatch, reduceBatch } from "./batch.ts";
import {
  advanceCursor,
  readCursor,
  readPlan,
  type ShipConfig,
  type ShipPlan,
  writePlan,
} from "./place.ts";
import { RefusedError, type Sink, TooLargeError } from "./sink.ts";

/** Successes in a row after which the sink gets larger batches again. */
const GROW_AFTER = 64;
/** After so many broken connections at one batch, the batch counts as too large for the sink. */
const BROKEN_TRIES_MAX = 3;
/** Records tried after a refused one, to learn whether the sink takes any record. */
const PROBES_MAX = 10;

/** State of the deliveries to one sink. */
export interface Delivery {
  readonly id: string;
  readonly config: ShipConfig[number];
  readonly sink: Sink;
  /** The largest batch that the sink takes, as far as known. */
  bytesMax: number;
  /** Whether `bytesMax` may grow again; false if the sink only broke the connection. */
  mayGrow: boolean;
  successes: number;
  /** By chain: the batch at which the connection last broke, and how often in a row. */
  readonly broken: Map<string, { readonly batch: string; readonly tries: number }>;
  /** Records of this round that the sink got without their texts. */
  readonly reducedNow: string[];
  /** Records of this round that the sink refused in any form, while it takes others. */
  readonly passedOverNow: string[];
}

/** Delivers the records of a chain, batch by batch; rejects at the first batch that fails. */
export async function shipChain(
  deps: {
    readonly store: Store;
    readonly signal: AbortSignal;
    /** Whether this replica may still ship. */
    readonly mayGoOn: () => Promise<boolean>;
  },
  delivery: Delivery,
  chain: string,
): Promise<void> {
  const { store, signal, mayGoOn } = deps;
  const size = ((await store.head(chain))?.seq ?? -1) + 1;
  const acknowledged = (await readCursor(store, delivery.id))[chain] ?? 0;
  let next = (await firstEntry(store, chain, acknowledged, size))?.seq ?? size;
  while (next < size && await mayGoOn()) {
    const { plan, batch } = await takeBatch(store, delivery, { chain, first: next, size });
    const [last = next, ...rest] = plan.ends;
    if (signal.aborted) return;
    const answer = batch === null
      ? TAKEN
      : isTooLarge(delivery, batch)
      ? IN_PARTS
      : await deliver(delivery, batch, signal);
    if (answer.is === "in parts") {
      await writePlan(store, delivery.id, chain, halve(plan));
      continue;
    }
    if (answer.is === "refused") {
      // A sink that takes no record is probably misconfigured: then all records wait.
      const place = { chain, first: last + 1, size };
      if (!await takesAnother(store, delivery, place, signal)) throw new Error(answer.reason);
      delivery.passedOverNow.push(`${chain}/${last}`);
    }
    next = last + 1;
    await advanceCursor(store, { id: delivery.id, chain }, { next, rest });
  }
}

type Answer =
  | { readonly is: "taken" | "in parts" }
  | { readonly is: "refused"; readonly reason: string };

const TAKEN: Answer = { is: "taken" };
const IN_PARTS: Answer = { is: "in parts" };

/** Whether the sink takes one of the next records alone; that record is sent again in its batch. */
async function takesAnother(
  store: Store,
  { sink, config }: Delivery,
  { chain, first, size }: { chain: string; first: number; size: number },
  signal: AbortSignal,
): Promise<boolean> {
  for (let seq = first; seq < Math.min(size, first + PROBES_MAX); seq++) {
    const want = { chain, first: seq, end: seq + 1, bytesMax: Infinity, format: config.format };
    const batch = await gatherBatch(store, want);
    if (batch === null) continue;
    try {
      await sink.deliver(batch, signal);
      return true;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
    }
  }
  return false;
}

/** The next batch: one that was begun, or a new one, whose plan is stored before the first try. */
async function takeBatch(
  store: Store,
  { id, config, bytesMax }: Delivery,
  place: { readonly chain: string; readonly first: number; readonly size: number },
): Promise<{ plan: ShipPlan; batch: MeasuredBatch | null }> {
  const { chain, first, size } = place;
  const { batchRecordsMax, format } = config;
  const begun = await readPlan(store, id, chain);
  if (begun !== null && begun.first === first && (begun.ends.at(-1) ?? 0) < size) {
    const end = (begun.ends[0] ?? first) + 1;
    const want = { chain, first, end, bytesMax: Infinity, format };
    return { plan: begun, batch: await gatherBatch(store, want) };
  }
  const end = Math.min(size, first + batchRecordsMax);
  const batch = await gatherBatch(store, { chain, first, end, bytesMax, format });
  const plan = { first, ends: [batch?.records.at(-1)?.seq ?? end - 1] };
  await writePlan(store, id, chain, plan);
  return { plan, batch };
}

/** Splits the first batch in two. */
function halve({ first, ends }: ShipPlan): ShipPlan {
  const [last = first] = ends;
  return { first, ends: [first + ((last - first) >> 1), ...ends] };
}

/** Whether the sink has refused a batch of this size since this batch was planned. */
function isTooLarge({ bytesMax }: Delivery, { bytes, records }: MeasuredBatch): boolean {
  return records.length > 1 && bytes > bytesMax;
}

async function deliver(
  delivery: Delivery,
  batch: MeasuredBatch,
  signal: AbortSignal,
): Promise<Answer> {
  const { sink, config } = delivery;
  const isOne = batch.records.length === 1;
  try {
    await sink.deliver(batch, signal);
  } catch (error) {
    const isRefused = error instanceof RefusedError;
    if (!isRefused && !breaksAgain(delivery, batch, error)) throw error;
    if (!isOne) {
      const saysSize = error instanceof TooLargeError;
      if (saysSize || !isRefused) {
        delivery.bytesMax = Math.max(1, batch.bytes >> 1);
        delivery.mayGrow = saysSize;
        delivery.successes = 0;
      }
      return IN_PARTS;
    }
    if (!isRefused) throw error;
    const reason = await deliverReduced(delivery, batch, signal);
    if (reason !== null) return { is: "refused", reason };
  }
  delivery.broken.delete(batch.chain);
  if (++delivery.successes >= GROW_AFTER && delivery.mayGrow) {
    delivery.bytesMax = Math.min(config.batchBytesMax, delivery.bytesMax * 2);
    delivery.successes = 0;
  }
  return TAKEN;
}

/**
 * Sends a refused record again without its texts.
 *
 * @returns why the sink refuses the reduced record too; null if it takes the record.
 */
async function deliverReduced(
  { sink, reducedNow }: Delivery,
  batch: MeasuredBatch,
  signal: AbortSignal,
): Promise<string | null> {
  const reduced = reduceBatch(batch);
  try {
    await sink.deliver(reduced, signal);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return `${error.message} even to one record without its texts (${reduced.bytes} bytes)`;
  }
  reducedNow.push(nameOf(batch));
  return null;
}

/** Some receivers answer a body that is too large by ending the connection. */
function breaksAgain(delivery: Delivery, batch: MeasuredBatch, error: unknown): boolean {
  if (!(error instanceof DialError) || !error.wasSent) return false;
  const name = nameOf(batch);
  const before = delivery.broken.get(batch.chain);
  const tries = before?.batch === name ? before.tries + 1 : 1;
  delivery.broken.set(batch.chain, { batch: name, tries });
  return tries >= BROKEN_TRIES_MAX;
}

function nameOf({ chain, records }: MeasuredBatch): string {
  const [first, last] = [records[0]?.seq ?? 0, records.at(-1)?.seq ?? 0];
  return first === last ? `${chain}/${first}` : `${chain}/${first}-${last}`;
}
