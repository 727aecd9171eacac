import { canonicalJson } from "../../model/json/canonical_json.ts";
import { sha256Hex } from "../../model/sha256.ts";
import { part } from "../../store/keys.ts";
import { hashLine } from "../audit_record.ts";
import { renderCsvHeader } from "../export/csv.ts";
import { exportAudit } from "../export/export_audit.ts";
import { renderSegment, SEGMENT_NOTE_SUFFIX } from "../verify/segment.ts";
import { rangeOf, type ShipBatch, type Sink } from "./sink.ts";

const EXTENSIONS = {
  jsonl: "jsonl",
  ocsf: "ocsf.jsonl",
  cef: "cef",
  csv: "csv",
  parquet: "parquet",
} as const;

/**
 * An outbox folder. A segment is complete once its note exists: the operator copies only files with
 * a note, and may then delete them.
 */
export function createFileSink(
  folder: string,
  deps: { signNote: (text: string) => string; now: () => number },
): Sink {
  return {
    async deliver(batch) {
      await Deno.mkdir(folder, { recursive: true });
      const { first, last } = rangeOf(batch);
      const name = `${part(batch.chain)}-${padded(first)}-${padded(last)}`;
      const file = `${name}.${EXTENSIONS[batch.format]}`;
      const bytes = await renderBatch(batch);
      await writeDurably(`${folder}/${file}`, bytes);
      const note = deps.signNote(renderSegment({
        chain: batch.chain,
        first,
        last,
        prev: batch.records[0]?.prev ?? "",
        head: hashLine(canonicalJson(batch.records.at(-1))),
        file,
        sha256: sha256Hex(bytes),
        time: new Date(deps.now()).toISOString(),
      }));
      const notePath = `${folder}/${file}${SEGMENT_NOTE_SUFFIX}`;
      await writeDurably(notePath, new TextEncoder().encode(note));
    },
  };
}

/** Renders a whole batch in its format. */
export async function renderBatch(batch: ShipBatch): Promise<Uint8Array<ArrayBuffer>> {
  if (batch.format !== "parquet") {
    const header = batch.format === "csv" ? renderCsvHeader() : "";
    return new TextEncoder().encode(header + batch.lines.join(""));
  }
  async function* records() {
    yield* batch.records;
  }
  const pieces = await Array.fromAsync(exportAudit(records(), batch.format));
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** Syncs under a temporary name first, so that no power failure leaves a partial file. */
async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.part`;
  const file = await Deno.open(temporary, { write: true, create: true, truncate: true });
  try {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  } finally {
    file.close();
  }
  await Deno.rename(temporary, path);
}

function padded(number: number): string {
  return String(number).padStart(12, "0");
}
