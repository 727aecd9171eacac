import type { AuditRecord } from "../../model/event.ts";
import { keyOf, prefixOf } from "../../store/keys.ts";
import type { Change, Store } from "../../store/store.ts";
import type { PayloadKey, PayloadKeys } from "../chain/audit_keys.ts";
import {
  type BoxContents,
  charactersOf,
  closeBox,
  closeLargeBox,
  type KeptPayloads,
  openBox,
  type SaltedPayloads,
} from "./payload_box.ts";

/** Payloads of one record above this get a box of their own. */
export const SHARED_CHARACTERS_MAX = 49_152;
/** Text above this is not kept: the record says how large it was and commits to it. */
export const PAYLOAD_CHARACTERS_MAX = 33_554_432;

interface StoredBox {
  readonly key: string;
  readonly first: number;
  readonly last: number;
  readonly box: string;
}

export interface LastBox {
  box?: { readonly chain: string; readonly stored: StoredBox; readonly contents: BoxContents };
}

export type PayloadLookup =
  | { readonly state: "found"; readonly payloads: SaltedPayloads }
  /** Expired, erased, too large, or never kept. */
  | { readonly state: "absent" }
  /** There, but changed, or closed with a key that is not here. */
  | { readonly state: "damaged"; readonly reason: string };

export interface PayloadStore {
  /** Small payloads wait for the batch; large ones are written first, in a box of their own. */
  keep(salted: SaltedPayloads): KeptPayloads | null | Promise<KeptPayloads>;
  /** The box of a batch, as a document beside its records. */
  pack(payloads: readonly { seq: number; payloads: KeptPayloads }[]): Change | null;
  /** @param last remembers the box of the record before, for reading many in order */
  find(record: AuditRecord, last?: LastBox): Promise<PayloadLookup>;
  /** Removes a record's payloads for good; the chain keeps the commits. */
  erase(record: AuditRecord): Promise<boolean>;
}

export function createPayloadStore(
  deps: { store: Store; chain: string; keys: () => PayloadKeys; retentionMs: number },
): PayloadStore {
  const { store, keys, retentionMs } = deps;

  function open(stored: StoredBox | null, place: string): unknown {
    if (stored === null) throw new Error("it is no payload box");
    const key = keys().find(({ id }) => id === stored.key);
    if (key === undefined) throw new Error(`its key "${stored.key}" is not here`);
    return openBox(stored.box, place, key);
  }

  async function findBox(record: AuditRecord) {
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

  async function contentsFor(record: AuditRecord, last: LastBox): Promise<BoxContents | null> {
    const { chain, seq } = record;
    const known = last.box;
    if (known?.chain === chain && known.stored.first <= seq && known.stored.last >= seq) {
      return known.contents;
    }
    const found = await findBox(record);
    if (found === null) return null;
    const { stored } = found;
    const contents = open(stored, placeOfBox(chain, stored.first, stored.last)) as BoxContents;
    last.box = { chain, stored, contents };
    return contents;
  }

  async function keepLarge(salted: SaltedPayloads, key: PayloadKey): Promise<KeptPayloads> {
    const id = crypto.randomUUID();
    const box = await closeLargeBox(salted, placeOfLarge(deps.chain, id), key);
    const value = { key: key.id, first: 0, last: 0, box };
    await store.put([
      { key: keyOf.auditLargePayload(deps.chain, id), value, ttlMs: retentionMs },
    ]);
    return { large: id, bytes: box.length };
  }

  return {
    keep(salted) {
      const characters = charactersOf(salted);
      if (characters > PAYLOAD_CHARACTERS_MAX) return null;
      return characters <= SHARED_CHARACTERS_MAX ? salted : keepLarge(salted, keys()[0]);
    },
    pack(payloads) {
      const first = payloads[0]?.seq;
      const last = payloads.at(-1)?.seq;
      if (first === undefined || last === undefined) return null;
      const contents: BoxContents = Object.fromEntries(
        payloads.map(({ seq, payloads }) => [String(seq), payloads]),
      );
      const [current] = keys();
      const box = closeBox(contents, placeOfBox(deps.chain, first, last), current);
      const value = { key: current.id, first, last, box };
      return { key: keyOf.auditPayloads(deps.chain, last), value, ttlMs: retentionMs };
    },
    async find(record, last = {}) {
      try {
        const contents = await contentsFor(record, last);
        const payloads = contents?.[String(record.seq)];
        if (payloads === undefined) return { state: "absent" };
        if (!("large" in payloads)) return { state: "found", payloads };
        const large = await store.get(keyOf.auditLargePayload(record.chain, payloads.large));
        if (large === null) return { state: "absent" };
        const opened = open(parseBox(large.value), placeOfLarge(record.chain, payloads.large));
        return { state: "found", payloads: opened as SaltedPayloads };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return { state: "damaged", reason };
      }
    },
    async erase(record) {
      const found = await findBox(record);
      if (found === null) return false;
      const { entry, stored } = found;
      const place = placeOfBox(record.chain, stored.first, stored.last);
      const contents = open(stored, place) as BoxContents;
      const payloads = contents[String(record.seq)];
      if (payloads === undefined) return false;
      delete contents[String(record.seq)];
      const [current] = keys();
      const box = closeBox(contents, place, current);
      const ttlMs = Math.max(1, Date.parse(record.ts) + retentionMs - Date.now());
      const changes: Change[] = [
        {
          key: entry.key,
          value: { key: current.id, first: stored.first, last: stored.last, box },
          ttlMs,
          expect: entry.revision,
        },
      ];
      if ("large" in payloads) {
        changes.push({ key: keyOf.auditLargePayload(record.chain, payloads.large), value: null });
      }
      return (await store.put(changes)) !== null;
    },
  };
}

function parseBox(value: unknown): StoredBox | null {
  if (typeof value !== "object" || value === null) return null;
  const { key, first, last, box } = value as { [name: string]: unknown };
  if (typeof key !== "string" || typeof box !== "string") return null;
  return typeof first === "number" && typeof last === "number" ? { key, first, last, box } : null;
}

function placeOfBox(chain: string, first: number, last: number): string {
  return `toolgate payloads\n${chain}\n${first}\n${last}`;
}

function placeOfLarge(chain: string, id: string): string {
  return `toolgate large payload\n${chain}\n${id}`;
}
