/**
 * Segments: files of consecutive records with a signed note each, for sites without a network.
 *
 * ```
 * toolgate-segment/<chain>
 * first <number>
 * last <number>
 * prev <hash of the record before the first, hex>
 * head <hash of the last record, hex>
 * file <name>
 * sha256 <of the file, hex>
 * time <RFC 3339>
 *
 * — <key name> <signature>
 * ```
 */
import { sha256Hex } from "../../model/sha256.ts";
import { openNote } from "../chain/checkpoint.ts";

export interface Segment {
  readonly chain: string;
  readonly first: number;
  readonly last: number;
  /** Hex. */
  readonly prev: string;
  /** Hex. */
  readonly head: string;
  readonly file: string;
  /** Hex. */
  readonly sha256: string;
  /** RFC 3339 */
  readonly time: string;
}

const ORIGIN_PREFIX = "toolgate-segment/";
export const SEGMENT_NOTE_SUFFIX = ".note";

/** The text of a segment's note, to be signed. */
export function renderSegment(segment: Segment): string {
  const { first, last, prev, head, file, sha256, time } = segment;
  return `${ORIGIN_PREFIX}${segment.chain}\nfirst ${first}\nlast ${last}\nprev ${prev}\n` +
    `head ${head}\nfile ${file}\nsha256 ${sha256}\ntime ${time}\n`;
}

/** @returns null for a note that is not a segment's, or that none of the keys signed. */
export function openSegment(note: string, verifierKeys: readonly string[]): Segment | null {
  const text = openNote(note, verifierKeys);
  const pattern = new RegExp(
    `^${ORIGIN_PREFIX}(.+)\\nfirst (\\d+)\\nlast (\\d+)\\nprev ([0-9a-f]{64})\\n` +
      "head ([0-9a-f]{64})\\nfile ([\\w.~%-]+)\\nsha256 ([0-9a-f]{64})\\ntime (\\S+)\\n$",
  );
  const match = text === null ? null : pattern.exec(text);
  if (match === null) return null;
  const [, chain = "", first, last, prev = "", head = "", file = "", sha256 = "", time = ""] =
    match;
  return { chain, first: Number(first), last: Number(last), prev, head, file, sha256, time };
}

export interface SegmentsReport {
  readonly ok: boolean;
  readonly segments: number;
  readonly records: number;
  /** One sentence each. */
  readonly problems: readonly string[];
}

/**
 * Checks a folder of segments with public keys alone: signatures, contents, and that each chain has
 * no gap.
 */
export async function verifySegments(
  folder: string,
  verifierKeys: readonly string[],
): Promise<SegmentsReport> {
  const problems: string[] = [];
  const chains = new Map<string, Segment[]>();
  let count = 0;
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  for (const name of names.filter((name) => name.endsWith(SEGMENT_NOTE_SUFFIX)).sort()) {
    count++;
    const segment = openSegment(await Deno.readTextFile(`${folder}/${name}`), verifierKeys);
    if (segment === null) {
      problems.push(`${name} is not signed by a trusted key`);
      continue;
    }
    const problem = await checkFile(folder, segment);
    if (problem !== null) problems.push(problem);
    chains.set(segment.chain, [...chains.get(segment.chain) ?? [], segment]);
  }
  if (count === 0) problems.push("There is no segment with a note");
  let records = 0;
  for (const segments of chains.values()) {
    segments.sort((a, b) => a.first - b.first || a.last - b.last);
    records += checkSequence(segments, problems);
  }
  return { ok: problems.length === 0, segments: count, records, problems };
}

async function checkFile(folder: string, segment: Segment): Promise<string | null> {
  try {
    const bytes = await Deno.readFile(`${folder}/${segment.file}`);
    const found = sha256Hex(bytes);
    return found === segment.sha256 ? null : `${segment.file} is not what was signed`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `${segment.file} is not there`;
    throw error;
  }
}

/** @returns the number of different records in the segments. */
function checkSequence(segments: readonly Segment[], problems: string[]): number {
  let records = 0;
  let before: Segment | null = null;
  for (const segment of segments) {
    if (before !== null && segment.last <= before.last) continue; // delivered a second time
    records += segment.last - Math.max(segment.first, before === null ? 0 : before.last + 1) + 1;
    if (before !== null && segment.first > before.last + 1) {
      const { chain } = segment;
      problems.push(`${chain}: records ${before.last + 1} to ${segment.first - 1} are not there`);
    } else if (before !== null && segment.first === before.last + 1) {
      if (segment.prev !== before.head) {
        problems.push(`${segment.file} does not follow ${before.file}`);
      }
    }
    before = segment;
  }
  return records;
}
