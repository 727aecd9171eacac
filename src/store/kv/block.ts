/**
 * A run of log entries as one deflated value: the engine spends a whole 4 KiB page on every value
 * above about 950 bytes.
 *
 * The text is one line of JSON,
 * `[[seq, ts, bodyLength, principal, tool, execution, kind, effect], …]`,
 * then all bodies in the same order.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { KV_COMMIT } from "./commit.ts";
import type { LogEntry } from "../store.ts";

const BLOCK_CHARACTERS_MAX = 262_144;
/** Bound for inflating, with room: a damaged block must not fill the memory. */
const INFLATED_BYTES_MAX = 4 * BLOCK_CHARACTERS_MAX;
const decoder = new TextDecoder();

export interface Block {
  readonly firstSeq: number;
  readonly entries: readonly LogEntry[];
  readonly bytes: Uint8Array;
}

type Head = [
  seq: number,
  ts: number,
  bodyLength: number,
  principal: string,
  tool: string,
  execution: string,
  kind?: string,
  effect?: string,
];

/** Cuts a run of entries into blocks, each within the engine's bounds. */
export function packBlocks(entries: readonly LogEntry[]): Block[] {
  const blocks: Block[] = [];
  let start = 0;
  let characters = 0;
  for (const [index, entry] of entries.entries()) {
    if (index > start && characters + entry.body.length > BLOCK_CHARACTERS_MAX) {
      blocks.push(...packRun(entries.slice(start, index)));
      start = index;
      characters = 0;
    }
    characters += entry.body.length;
  }
  blocks.push(...packRun(entries.slice(start)));
  return blocks;
}

function packRun(entries: readonly LogEntry[]): Block[] {
  const heads = entries.map((entry): Head => {
    const { seq, ts, principal, tool, execution, kind = "", effect = "" } = entry;
    const head: Head = [seq, ts, entry.body.length, principal, tool, execution];
    if (kind !== "" || effect !== "") head.push(kind, effect);
    return head;
  });
  const text = `${JSON.stringify(heads)}\n${entries.map((entry) => entry.body).join("")}`;
  const bytes = new Uint8Array(deflateRawSync(text, { level: 1 }));
  if (bytes.length > KV_COMMIT.valueBytesMax && entries.length > 1) {
    const middle = entries.length >> 1;
    return [...packRun(entries.slice(0, middle)), ...packRun(entries.slice(middle))];
  }
  return [{ firstSeq: entries[0]?.seq ?? 0, entries, bytes }];
}

/** @throws when the bytes are not a block: the file is damaged. */
export function unpackBlock(log: string, bytes: Uint8Array): LogEntry[] {
  const text = decoder.decode(inflateRawSync(bytes, { maxOutputLength: INFLATED_BYTES_MAX }));
  const lineEnd = text.indexOf("\n");
  const heads = JSON.parse(text.slice(0, lineEnd)) as Head[];
  let at = lineEnd + 1;
  return heads.map(([seq, ts, length, principal, tool, execution, kind = "", effect = ""]) => {
    const body = text.slice(at, at + length);
    at += length;
    return {
      log,
      seq,
      ts,
      principal,
      tool,
      execution,
      ...(kind === "" ? {} : { kind }),
      ...(effect === "" ? {} : { effect }),
      body,
    };
  });
}
