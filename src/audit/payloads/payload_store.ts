import type { AuditRecord } from "../../model/event.ts";
import { keyOf, prefixOf } from "../../store/keys.ts";
import type { Change, Store, StoredEntry } from "../../store/store.ts";
import type { PayloadKeys } from "../chain/audit_keys.ts";
import {
  type BoxContents,
  charactersOf,
  closeBox,
  closeLargeBox,
  type KeptPayloads,
  type SaltedPayloads,
} from "./payload_box.ts";
import { openStored, parseBox, type StoredBox } from "./stored_box.ts";

/** Payloads of one record above this size get their own box. */
export const SHARED_CHARACTERS_MAX = 49_152;
/** Payloads above this size are not kept: the record holds only their sizes and commits. */
export const PAYLOAD_CHARACTERS_MAX = 33_554_432;

/** The last opened box, so that reading records in order opens each box once. */
export interface LastBox {
  box?: { readonly chain: string; readonly stored: StoredBox; readonly contents: BoxContents };
}

export type PayloadLookup =
  | { readonly state: "found"; readonly payloads: SaltedPayloads }
  /** Expired, erased, too large, or never kept. */
  | { readonly state: "absent" }
  /** Stored, but changed, or encrypted with a missing key. */
  | { readonly state: "damaged"; readonly reason: string };

export interface PayloadStore {
  /** Small payloads wait for the batch; large ones are written at once, in their own box. */
  keep(salted: SaltedPayloads): KeptPayloads | null | Promise<KeptPayloads>;
  /** The box of a batch, as a document beside its records. */
  pack(payloads: readonly { seq: number; payloads: KeptPayloads }[]): Change | null;
  /** @param last keeps the box of the previous record, for reading many records in order */
  find(record: AuditRecord, last?: LastBox): Promise<PayloadLookup>;
  /** Removes a record's payloads for good; the chain keeps the commits. */
  erase(record: AuditRecord): Promise<boolean>;
}

interface PayloadDeps {
  readonly store: Store;
  readonly chain: string;
  /** The current key first. */
  readonly keys: () => PayloadKeys;
  readonly retentionMs: number;
  readonly now?: () => number;
}

export function createPayloadStore(deps: PayloadDeps): PayloadStore {
  return {
    keep(salted) {
      const characters = charactersOf(salted);
      if (characters > PAYLOAD_CHARACTERS_MAX) return null;
      return characters <= SHARED_CHARACTERS_MAX ? salted : keepLarge(deps, salted);
    },
    pack: (payloads) => packBox(deps, payloads),
    async find(record, last = {}) {
      try {
        return await findPayloads(deps, record, last);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return { state: "damaged", reason };
      }
    },
    erase: (record) => erasePayloads(deps, record),
  };
}

async function keepLarge(deps: PayloadDeps, salted: SaltedPayloads): Promise<KeptPayloads> {
  const { store, chain, retentionMs } = deps;
  const id = crypto.randomUUID();
  const [current] = deps.keys();
  const box = await closeLargeBox(salted, placeOfLarge(chain, id), current);
  const value = { key: current.id, first: 0, last: 0, box };
  await store.put([{ key: keyOf.auditLargePayload(chain, id), value, ttlMs: retentionMs }]);
  return { large: id, bytes: box.length };
}

function packBox(
  { chain, keys, retentionMs }: PayloadDeps,
  payloads: readonly { seq: number; payloads: KeptPayloads }[],
): Change | null {
  const first = payloads[0]?.seq;
  const last = payloads.at(-1)?.seq;
  if (first === undefined || last === undefined) return null;
  const contents: BoxContents = Object.fromEntries(
    payloads.map(({ seq, payloads }) => [String(seq), payloads]),
  );
  const [current] = keys();
  const box = closeBox(contents, placeOfBox(chain, first, last), current);
  const value = { key: current.id, first, last, box };
  return { key: keyOf.auditPayloads(chain, last), value, ttlMs: retentionMs };
}

/** @throws when the box cannot be opened. */
async function findPayloads(
  deps: PayloadDeps,
  record: AuditRecord,
  last: LastBox,
): Promise<PayloadLookup> {
  const contents = await contentsFor(deps, record, last);
  const payloads = contents?.[String(record.seq)];
  if (payloads === undefined) return { state: "absent" };
  if (!("large" in payloads)) return { state: "found", payloads };
  const large = await deps.store.get(keyOf.auditLargePayload(record.chain, payloads.large));
  if (large === null) return { state: "absent" };
  const place = placeOfLarge(record.chain, payloads.large);
  const opened = openStored(deps.keys(), parseBox(large.value), place) as SaltedPayloads;
  return { state: "found", payloads: opened };
}

/** The contents of the record's box; null if there is no box. */
async function contentsFor(
  deps: PayloadDeps,
  record: AuditRecord,
  last: LastBox,
): Promise<BoxContents | null> {
  const { chain, seq } = record;
  const known = last.box;
  if (known?.chain === chain && known.stored.first <= seq && known.stored.last >= seq) {
    return known.contents;
  }
  const found = await findBox(deps.store, record);
  if (found === null) return null;
  const { stored } = found;
  const place = placeOfBox(chain, stored.first, stored.last);
  const contents = openStored(deps.keys(), stored, place) as BoxContents;
  last.box = { chain, stored, contents };
  return contents;
}

async function findBox(
  store: Pick<Store, "list">,
  record: AuditRecord,
): Promise<{ entry: StoredEntry; stored: StoredBox } | null> {
  const after = record.seq === 0 ? undefined : keyOf.auditPayloads(record.chain, record.seq - 1);
  const [entry] = await store.list(prefixOf.auditPayloads(record.chain), {
    limit: 1,
    ...(after === undefined ? {} : { after }),
  });
  const stored = parseBox(entry?.value);
  return entry === undefined || stored === null || stored.first > record.seq
    ? null
    : { entry, stored };
}

async function erasePayloads(deps: PayloadDeps, record: AuditRecord): Promise<boolean> {
  const { store, keys, retentionMs, now = Date.now } = deps;
  const found = await findBox(store, record);
  if (found === null) return false;
  const { first, last } = found.stored;
  const { key } = found.entry;
  const place = placeOfBox(record.chain, first, last);
  const contents = openStored(keys(), found.stored, place) as BoxContents;
  const payloads = contents[String(record.seq)];
  if (payloads === undefined) return false;
  delete contents[String(record.seq)];
  const [current] = keys();
  const value = { key: current.id, first, last, box: closeBox(contents, place, current) };
  const ttlMs = Math.max(1, Date.parse(record.ts) + retentionMs - now());
  const changes: Change[] = [{ key, value, ttlMs, expect: found.entry.revision }];
  if ("large" in payloads) {
    changes.push({ key: keyOf.auditLargePayload(record.chain, payloads.large), value: null });
  }
  return (await store.put(changes)) !== null;
}

function placeOfBox(chain: string, first: number, last: number): string {
  return `toolgate payloads\n${chain}\n${first}\n${last}`;
}

function placeOfLarge(chain: string, id: string): string {
  return `toolgate large payload\n${chain}\n${id}`;
}
