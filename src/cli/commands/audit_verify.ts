import { resolve } from "node:path";
import { readAnchorFile } from "../../audit/chain/anchors.ts";
import { isVerifierKey } from "../../audit/chain/checkpoint.ts";
import type { SegmentsReport } from "../../audit/verify/segment.ts";
import {
  type AuditReport,
  renderAuditReport,
  verifyAuditExport,
} from "../../audit/verify/verify_audit.ts";
import { type OfflineReport, verifyOffline } from "../../audit/verify/verify_offline.ts";
import { readTextFile } from "../bundle_files.ts";
import type { Command, CommandContext } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { splitLines } from "../split_lines.ts";
import { plain } from "../table.ts";
import { usageError } from "../usage_error.ts";

const PROBLEMS_SHOWN = 20;

export const auditVerify: Command = {
  name: "verify",
  summary: "Check every record against the hash chain, its signatures and anchors",
  options: {
    file: {
      value: "EXPORT",
      about:
        "Check an export (jsonl, unfiltered) or a folder of shipped segments, without a service",
    },
    key: { value: "FILE", about: "With --file: the public key, STORE.signing.pub of the service" },
    anchors: { value: "FILE", about: "With --file: checkpoints that were kept elsewhere" },
    "unsigned-tail": {
      about: "With --file: newest records may lie behind the last checkpoint of their chain",
    },
  },
  examples: [
    "toolgate audit verify",
    "toolgate audit verify --file april.jsonl --key toolgate.kv.signing.pub --json",
    "toolgate audit verify --file ./ship --key toolgate.kv.signing.pub",
  ],
  async run(context) {
    const { chain: report, segments } = context.text("file") === undefined
      ? { chain: await askService(context), segments: null }
      : await readFiles(context);
    const ok = (report?.ok ?? true) && (segments?.ok ?? true);
    if (context.json) {
      context.output.json({ ...report, ok, ...(segments === null ? {} : { segments }) });
    } else if (report !== null && report.chains.length > 0) {
      context.output.result(renderAuditReport(report));
    }
    if (segments !== null && !context.json) context.output.result(renderSegments(segments));
    if (report !== null) context.output.note(verdictOf(report));
    if (segments?.ok === false) context.output.note(`First bad segment: ${segments.problems[0]}`);
    return ok ? EXIT.ok : EXIT.failed;
  },
};

async function askService(context: CommandContext): Promise<AuditReport> {
  for (const option of ["key", "anchors", "unsigned-tail"]) {
    if (context.text(option) === undefined && !context.flag(option)) continue;
    throw usageError(`Option "--${option}" needs --file`, "The service knows its own keys");
  }
  const client = await context.connect();
  return await client.call("POST /audit/verify");
}

/** Verifies files without the service: an export, or a folder of segments with their notes. */
async function readFiles(
  context: CommandContext,
): Promise<Pick<OfflineReport, "chain" | "segments">> {
  const path = (option: string) => resolve(context.deps.cwd(), context.text(option) ?? "");
  if (context.text("key") === undefined) {
    throw usageError(
      "--key is missing",
      "Name the public key of the service, the file STORE.signing.pub",
    );
  }
  const keys = (await readTextFile(path("key"), "public key")).split("\n")
    .map((line) => line.trim()).filter((line) => line !== "");
  if (keys.length === 0 || !keys.every(isVerifierKey)) {
    throw usageError(
      `"${path("key")}" is not a public key of an audit log`,
      "It ends in .signing.pub",
    );
  }
  const anchors = context.text("anchors") === undefined ? [] : await readAnchors(path("anchors"));
  const info = await Deno.stat(path("file")).catch(() => {
    throw usageError(`Cannot read the export "${path("file")}"`, "Check the path");
  });
  if (info.isDirectory) {
    const paths = context.text("anchors") === undefined ? [] : [path("anchors")];
    return await verifyOffline(path("file"), [path("key")], paths);
  }
  const file = await Deno.open(path("file"));
  const mayEndUnsigned = context.flag("unsigned-tail");
  const options = { verifierKeys: keys, anchors, mayEndUnsigned };
  return { chain: await verifyAuditExport(splitLines(file.readable), options), segments: null };
}

function renderSegments({ ok, segments, records, problems }: SegmentsReport): string {
  const state = ok ? "ok" : `${problems.length} problems`;
  const head = `segments: ${state}, ${segments}, ${records} records`;
  return [head, ...problems.slice(0, PROBLEMS_SHOWN).map((problem) => `  ${problem}`)].join("\n");
}

async function readAnchors(path: string): Promise<string[]> {
  const notes = await readAnchorFile(path);
  if (notes.length > 0) return notes;
  throw usageError(`"${path}" holds no checkpoint`, "It is the file that audit.anchors names");
}

function verdictOf({ ok, records, chains, firstBad }: AuditReport): string {
  if (ok) {
    return `${records} records in ${chains.length} ${chains.length === 1 ? "chain" : "chains"}: ok`;
  }
  if (firstBad === null) return "The log is not whole";
  const place = firstBad.seq === null ? firstBad.chain : `${firstBad.chain} #${firstBad.seq}`;
  return plain(`First bad record: ${place}, ${firstBad.kind}: ${firstBad.message}`);
}
