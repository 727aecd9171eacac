import { GateError } from "../../model/errors.ts";
import { readAnchorFile } from "../chain/anchors.ts";
import { isVerifierKey } from "../chain/checkpoint.ts";
import { SEGMENT_NOTE_SUFFIX, type SegmentsReport, verifySegments } from "./segment.ts";
import { type AuditReport, verifyAuditExport } from "./verify_audit.ts";

export interface OfflineReport {
  readonly ok: boolean;
  /** The check of the JSON lines; null if the folder holds only other formats. */
  readonly chain: AuditReport | null;
  /** The check of the signed files; null if `path` is a file. */
  readonly segments: SegmentsReport | null;
}

/**
 * Checks exported or shipped records without the service, with public keys alone.
 *
 * @param path a JSONL export, or a folder of segments.
 * @param keyPaths files with one public key a line (`<store>.signing.pub`).
 * @param anchorPaths files of notes that were kept elsewhere.
 * @throws {GateError} `ERR_CONFIG` for a key file without a key;
 * `ERR_NOT_FOUND` for a missing path.
 */
export async function verifyOffline(
  path: string,
  keyPaths: readonly string[],
  anchorPaths: readonly string[] = [],
): Promise<OfflineReport> {
  const verifierKeys = (await Promise.all(keyPaths.map(readKeys))).flat();
  const anchors = (await Promise.all(anchorPaths.map(readAnchorFile))).flat();
  const info = await Deno.stat(path).catch((cause) => {
    throw new GateError("ERR_NOT_FOUND", `Cannot read "${path}"`, {
      hint: "Name a JSONL export, or a folder that the file sink wrote.",
      cause,
    });
  });
  if (!info.isDirectory) {
    const chain = await verifyAuditExport(readLines([path]), { verifierKeys, anchors });
    return { ok: chain.ok, chain, segments: null };
  }
  const segments = await verifySegments(path, verifierKeys);
  const files = (await listSegmentFiles(path)).filter(isNative);
  const chain = files.length === 0 ? null : await verifyAuditExport(readLines(files), {
    verifierKeys,
    anchors,
    mayEndUnsigned: true, // each file has a note of its own
  });
  return { ok: segments.ok && (chain === null || chain.ok), chain, segments };
}

async function readKeys(path: string): Promise<string[]> {
  const lines = (await Deno.readTextFile(path)).split("\n").map((line) => line.trim());
  const keys = lines.filter((line) => line !== "");
  if (keys.length > 0 && keys.every(isVerifierKey)) return keys;
  throw new GateError(
    "ERR_CONFIG",
    `Cannot use "${path}": it holds no public key of an audit log`,
    {
      hint: "The service writes its public key beside the store, as <store>.signing.pub.",
    },
  );
}

/** Files that have a note, in the order of their records. */
async function listSegmentFiles(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names
    .filter((name) => name.endsWith(SEGMENT_NOTE_SUFFIX))
    .map((name) => `${folder}/${name.slice(0, -SEGMENT_NOTE_SUFFIX.length)}`)
    .sort();
}

/** Only the log's own JSON lines hold the hash chain. */
function isNative(path: string): boolean {
  return path.endsWith(".jsonl") && !path.endsWith(".ocsf.jsonl");
}

/** Skips lines that were delivered twice. */
async function* readLines(paths: readonly string[]): AsyncGenerator<string> {
  const seen = new Map<string, number>();
  for (const path of paths) {
    const file = await Deno.open(path);
    let rest = "";
    for await (const text of file.readable.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (paths.length === 1 || isNew(line, seen)) yield line;
    }
    if (rest !== "" && (paths.length === 1 || isNew(rest, seen))) yield rest;
  }
}

function isNew(line: string, seen: Map<string, number>): boolean {
  let record: { chain?: unknown; seq?: unknown } | null;
  try {
    record = JSON.parse(line);
  } catch {
    return true; // the verifier reports the bad line
  }
  const { chain, seq } = record ?? {};
  if (typeof chain !== "string" || typeof seq !== "number") return true;
  if (seq <= (seen.get(chain) ?? -1)) return false;
  seen.set(chain, seq);
  return true;
}
