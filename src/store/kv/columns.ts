/**
 * The labels of a run of log entries, by column, so that a filter reads a few kilobytes instead of
 * the entries. The set of terms in a run lets a search skip most runs.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import {
  type EntryFilter,
  type EntryLabels,
  isInBounds,
  LABEL_FIELDS,
  type LabelField,
  labelOf,
} from "../entry_filter.ts";

const INFLATED_BYTES_MAX = 16_777_216;
/** Bytes before the times: the length of the head, padded for alignment. */
const SIZES_BYTES = 8;
const decoder = new TextDecoder();

interface Columns {
  readonly firstSeq: number;
  readonly ts: Float64Array;
  readonly words: { readonly [field in LabelField]: readonly string[] };
  readonly indexes: { readonly [field in LabelField]: Uint16Array };
}

/** @param run at most 65,536 entries with consecutive numbers */
export function encodeColumns(run: readonly EntryLabels[]): Uint8Array {
  return new Uint8Array(deflateRawSync(layOutColumns(run), { level: 1 }));
}

/** Whether stored columns equal the columns of a run. */
export function areColumnsOf(stored: Uint8Array, run: readonly EntryLabels[]): boolean {
  try {
    const inflated = inflateRawSync(stored, { maxOutputLength: INFLATED_BYTES_MAX });
    return inflated.equals(layOutColumns(run));
  } catch {
    return false; // not deflated data, so not our columns
  }
}

function layOutColumns(run: readonly EntryLabels[]): Uint8Array {
  const count = run.length;
  const ts = new Float64Array(count);
  const indexes = new Uint16Array(count * LABEL_FIELDS.length);
  const words = LABEL_FIELDS.map((field, column) => {
    const known = new Map<string, number>();
    for (const [row, entry] of run.entries()) {
      const word = labelOf(entry, field);
      const index = known.get(word) ?? known.size;
      known.set(word, index);
      indexes[column * count + row] = index;
    }
    return [...known.keys()];
  });
  for (const [row, entry] of run.entries()) ts[row] = entry.ts;
  const head = new TextEncoder().encode(
    JSON.stringify({ firstSeq: run[0]?.seq ?? 0, count, words }),
  );
  const sizes = new Uint8Array(new Uint32Array([head.length, 0]).buffer);
  const parts = [sizes, new Uint8Array(ts.buffer), new Uint8Array(indexes.buffer), head];
  return Buffer.concat(parts);
}

/** @throws when the bytes are not columns: the file is damaged. */
export function decodeColumns(bytes: Uint8Array): Columns {
  const inflated = inflateRawSync(bytes, { maxOutputLength: INFLATED_BYTES_MAX });
  const plain = new Uint8Array(inflated); // the columns are views of this copy
  const headBytes = new Uint32Array(plain.buffer, 0, 1)[0] ?? 0;
  const head = JSON.parse(decoder.decode(plain.subarray(plain.length - headBytes))) as {
    firstSeq: number;
    count: number;
    words: string[][];
  };
  const { count } = head;
  const start = SIZES_BYTES + count * 8;
  const column = (index: number) => new Uint16Array(plain.buffer, start + index * count * 2, count);
  const byField = <T>(make: (index: number) => T) => ({
    principal: make(0),
    tool: make(1),
    execution: make(2),
    kind: make(3),
    effect: make(4),
  });
  return {
    firstSeq: head.firstSeq,
    ts: new Float64Array(plain.buffer, SIZES_BYTES, count),
    words: byField((index) => head.words[index] ?? []),
    indexes: byField(column),
  };
}

/** Numbers of the entries that match, the newest first. */
export function matchColumns(columns: Columns, filter: EntryFilter, log: string): number[] {
  const tests: [Uint16Array, Uint8Array][] = [];
  for (const [field, value] of filter.exact) {
    const wanted = columns.words[field].map((word) => word === value ? 1 : 0);
    if (!wanted.includes(1)) return [];
    tests.push([columns.indexes[field], Uint8Array.from(wanted)]);
  }
  if (filter.isTool !== null) {
    const { isTool } = filter;
    const wanted = columns.words.tool.map((word) => word !== "" && isTool(word) ? 1 : 0);
    if (!wanted.includes(1)) return [];
    tests.push([columns.indexes.tool, Uint8Array.from(wanted)]);
  }
  const found: number[] = [];
  for (let row = columns.ts.length - 1; row >= 0; row--) {
    let matches = true;
    for (const [indexes, wanted] of tests) {
      if (wanted[indexes[row] as number] === 1) continue;
      matches = false;
      break;
    }
    if (!matches) continue;
    const seq = columns.firstSeq + row;
    if (isInBounds(filter, log, { ts: columns.ts[row] as number, seq })) found.push(seq);
  }
  return found;
}

/** Short hashes of every label in a run. */
export function encodeTerms(run: readonly EntryLabels[]): Uint8Array {
  const terms = new Set<number>();
  for (const field of LABEL_FIELDS) {
    const words = new Set(run.map((entry) => labelOf(entry, field)));
    for (const word of words) terms.add(hashTerm(field, word));
  }
  return new Uint8Array(Uint32Array.from(terms).buffer);
}

/** False only if no entry of the run can match. */
export function mayMatch(terms: Uint8Array, filter: EntryFilter): boolean {
  const hashes = new Uint32Array(terms.slice().buffer);
  return filter.exact.every(([field, value]) => hashes.includes(hashTerm(field, value)));
}

/** FNV-1a, 32 bits; a collision only costs a needless read of a run. */
function hashTerm(field: LabelField, word: string): number {
  let hash = 0x811c9dc5;
  for (const text of [field, "\0", word]) {
    for (let at = 0; at < text.length; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    }
  }
  return hash >>> 0;
}
