import { resolve } from "node:path";
import { readAnchorFile } from "../../audit/anchors.ts";
import { isVerifierKey } from "../../audit/checkpoint.ts";
import {
  type AuditReport,
  renderAuditReport,
  verifyAuditExport,
} from "../../audit/verify_audit.ts";
import { readTextFile } from "../bundle_files.ts";
import type { Command, CommandContext } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { splitLines } from "../split_lines.ts";
import { usageError } from "../usage_error.ts";

export const auditVerify: Command = {
  name: "verify",
  summary: "Check every record against the hash chain, its signatures and anchors",
  options: {
    file: {
      value: "EXPORT",
      about: "Check an export (jsonl, unfiltered) instead, without a service",
    },
    key: { value: "FILE", about: "With --file: the public key, STORE.signing.pub of the service" },
    anchors: { value: "FILE", about: "With --file: checkpoints that were kept elsewhere" },
  },
  examples: [
    "toolgate audit verify",
    "toolgate audit verify --file april.jsonl --key toolgate.kv.signing.pub --json",
  ],
  async run(context) {
    const report = context.text("file") === undefined
      ? await askService(context)
      : await readExport(context);
    if (context.json) context.output.json(report);
    else if (report.chains.length > 0) context.output.result(renderAuditReport(report));
    context.output.note(verdictOf(report));
    return report.ok ? EXIT.ok : EXIT.failed;
  },
};

async function askService(context: CommandContext): Promise<AuditReport> {
  for (const option of ["key", "anchors"]) {
    if (context.text(option) === undefined) continue;
    throw usageError(`Option "--${option}" needs --file`, "The service knows its own keys");
  }
  const client = await context.connect();
  return await client.ask<AuditReport>({ method: "POST", path: "/audit/verify" });
}

async function readExport(context: CommandContext): Promise<AuditReport> {
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
      `"${path("key")}" is no public key of an audit log`,
      "It ends in .signing.pub",
    );
  }
  const anchors = context.text("anchors") === undefined ? [] : await readAnchors(path("anchors"));
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path("file"));
  } catch {
    throw usageError(`Cannot read the export "${path("file")}"`, "Check the path");
  }
  return await verifyAuditExport(splitLines(file.readable), { verifierKeys: keys, anchors });
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
  return `First bad record: ${place}, ${firstBad.kind}: ${firstBad.message}`;
}
