import { cutGraphemes } from "../../model/cut_graphemes.ts";
import type { AuditRecord } from "../../model/event.ts";
import { canonicalJson } from "../../model/json/canonical_json.ts";
import type { Store } from "../../store/store.ts";
import { hashLine, toRecord } from "../audit_record.ts";
import { readAscending } from "../chain/read_chain.ts";
import { type ExportFormat, renderLine } from "../export/export_audit.ts";
import type { ShipBatch } from "./sink.ts";

/** A batch and the size of its lines. */
export interface MeasuredBatch extends ShipBatch {
  readonly bytes: number;
}

/**
 * The records `first` … `end - 1` of a chain; fewer to stay within `bytesMax`, but at least one.
 *
 * @returns null if retention removed all of them.
 */
export async function gatherBatch(
  store: Pick<Store, "scan">,
  want: {
    readonly chain: string;
    readonly first: number;
    readonly end: number;
    readonly bytesMax: number;
    readonly format: ExportFormat;
  },
): Promise<MeasuredBatch | null> {
  const { chain, first, end, bytesMax, format } = want;
  const records: AuditRecord[] = [];
  const lines: string[] = [];
  let bytes = 0;
  for await (const entries of readAscending(store, chain, first, end)) {
    for (const entry of entries) {
      const record = toRecord(entry);
      const line = format === "parquet" ? entry.body : renderLine(record, format);
      const lineBytes = Buffer.byteLength(line);
      if (records.length > 0 && bytes + lineBytes > bytesMax) {
        return { chain, records, lines, bytes, format, isReduced: false };
      }
      records.push(record);
      if (format !== "parquet") lines.push(line);
      bytes += lineBytes;
    }
  }
  return records.length === 0 ? null : { chain, records, lines, bytes, format, isReduced: false };
}

/** Removes the texts of a record that is too large for its sink. */
export function reduceBatch(batch: MeasuredBatch): MeasuredBatch {
  const records = batch.records.map(reduceRecord);
  const { format } = batch;
  const lines = format === "parquet" ? [] : records.map((record) => renderLine(record, format));
  const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
  return { ...batch, records, lines, bytes, isReduced: true };
}

const TEXT_CHARACTERS_MAX = 200;
const ITEMS_MAX = 10;

/** Keeps the members that identify a record and its outcome; `detail.leftOut` marks the cut. */
function reduceRecord(record: AuditRecord): AuditRecord {
  const { v, chain, seq, ts, prev, kind, actor, tool, decision, err } = record;
  const { execution, call, approval, result, ms, cost, args } = record;
  const { limit, over } = record.detail ?? {};
  const reduced: AuditRecord = {
    v,
    chain,
    seq,
    ts,
    prev,
    kind,
    ...(execution === undefined ? {} : { execution: short(execution) }),
    ...(call === undefined ? {} : { call: short(call) }),
    ...(approval === undefined ? {} : { approval: short(approval) }),
    ...(actor === undefined ? {} : {
      actor: {
        sub: short(actor.sub),
        iss: short(actor.iss),
        client: short(actor.client),
        groups: actor.groups.slice(0, ITEMS_MAX).map(short),
        scopes: [],
      },
    }),
    ...(tool === undefined ? {} : {
      tool: { ...tool, server: short(tool.server), name: short(tool.name) },
    }),
    ...(decision === undefined ? {} : {
      decision: { ...decision, because: decision.because.slice(0, ITEMS_MAX).map(short) },
    }),
    ...(args === undefined ? {} : { args }),
    ...(result === undefined ? {} : { result: { ...result, status: short(result.status) } }),
    ...(ms === undefined ? {} : { ms }),
    ...(cost === undefined ? {} : { cost }),
    ...(err === undefined ? {} : { err: { code: err.code, message: "(left out)" } }),
  };
  const line = canonicalJson(record);
  return {
    ...reduced,
    detail: {
      ...(typeof limit === "string" ? { limit: short(limit) } : {}),
      ...(over === "ask" ? { over } : {}),
      leftOut: "Texts: the receiver does not take the whole record; the log has it",
      wholeBytes: Buffer.byteLength(line),
      wholeSha256: hashLine(line),
    },
  };
}

function short(text: string): string {
  return text.length <= TEXT_CHARACTERS_MAX ? text : `${cutGraphemes(text, TEXT_CHARACTERS_MAX)}…`;
}
