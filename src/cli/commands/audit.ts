import { resolve } from "node:path";
import { EXPORT_FORMATS } from "../../audit/export/export_audit.ts";
import { GateError } from "../../model/errors.ts";
import type { AuditRecord } from "../../model/event.ts";
import { recordKey } from "../../model/record_key.ts";
import type { ApiClient } from "../api_client.ts";
import { type Filter, filterOf, FILTERS } from "../audit_filters.ts";
import { renderRecord, renderRecords } from "../audit_lines.ts";
import type { Command, CommandGroup } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { oneOf } from "../one_of.ts";
import { splitLines } from "../split_lines.ts";
import { auditCalls } from "./audit_calls.ts";
import { auditReplay } from "./audit_replay.ts";
import { auditVerify } from "./audit_verify.ts";

const PAGE_RECORDS = 500;
const LIST_DEFAULT = 50;
const LIMIT_MAX = 10_000_000;

const list: Command = {
  name: "list",
  summary: "Records, newest first",
  options: { ...FILTERS, limit: { value: "N", about: `Most records; default ${LIST_DEFAULT}` } },
  examples: [
    "toolgate audit list --effect deny --since 1d",
    "toolgate audit list --tool orders.list --limit 500 --json",
  ],
  async run(context) {
    const limit = context.integer("limit", 1, LIMIT_MAX) ?? LIST_DEFAULT;
    const query = filterOf(context);
    const client = await context.connect();
    const shown: AuditRecord[] = [];
    for await (const records of pages(client, query, limit)) {
      if (context.json) records.forEach(context.output.json);
      else shown.push(...records);
    }
    if (!context.json) {
      if (shown.length > 0) context.output.result(renderRecords(shown));
      context.output.note(`${shown.length} ${shown.length === 1 ? "record" : "records"}`);
    }
    return EXIT.ok;
  },
};

const show: Command = {
  name: "show",
  summary: "Everything about one execution or one call",
  positionals: "ID",
  count: [1, 1],
  examples: ["toolgate audit show 019a…", "toolgate audit show 019a…:0 --json"],
  async run(context) {
    const [id = ""] = context.positionals;
    const client = await context.connect();
    const { records } = await client.call("GET /audit/:id", { params: { id } });
    if (context.json) records.forEach(context.output.json);
    else context.output.result(records.map(renderRecord).join("\n"));
    return EXIT.ok;
  },
};

const tail: Command = {
  name: "tail",
  summary: "The newest records, then each as it comes; ends with the service or Ctrl-C",
  options: {
    ...FILTERS,
    limit: { value: "N", about: "Records to begin with; default 10" },
  },
  examples: ["toolgate audit tail", "toolgate audit tail --effect deny --json"],
  async run(context) {
    const limit = context.integer("limit", 0, 10_000) ?? 10;
    const query = filterOf(context);
    const client = await context.connect();
    const print = (record: AuditRecord) =>
      context.json ? context.output.json(record) : context.output.result(renderRecord(record));
    // Open the stream first, so that no record is missed between the page and the stream.
    const stream = client.isService ? await client.send("GET /audit/stream", { query }) : null;
    const seen = new Set<string>();
    for await (const records of pages(client, query, limit)) {
      for (const record of records.toReversed()) {
        seen.add(recordKey(record));
        print(record);
      }
    }
    if (stream?.body) {
      await follow(stream.body, (record) => {
        if (!seen.delete(recordKey(record))) print(record);
      });
      context.output.note("The service ended the stream");
    } else context.output.note("No service runs on this store: there is nothing to follow");
    return EXIT.ok;
  },
};

const exportRecords: Command = {
  name: "export",
  summary: "Records for other systems",
  options: {
    ...FILTERS,
    format: { value: "F", about: "jsonl, csv, ocsf, cef or parquet; default jsonl" },
    out: { value: "FILE", about: "Write there instead of standard output" },
    limit: { value: "N", about: "Most records" },
  },
  examples: [
    "toolgate audit export --since 2026-04-01 --out april.jsonl",
    "toolgate audit export --format csv --effect deny",
  ],
  async run(context) {
    const query = {
      ...filterOf(context),
      limit: context.integer("limit", 1, LIMIT_MAX),
      format: oneOf(context, "format", EXPORT_FORMATS),
    };
    const client = await context.connect();
    const response = await client.send("GET /audit/export", { query });
    const out = context.text("out");
    const body = response.body ?? new Blob([]).stream();
    if (out === undefined) await context.deps.pipeToStdout(body);
    else {
      const file = resolve(context.deps.cwd(), out);
      await context.deps.pipeToFile(file, body);
      context.output.note(`Wrote ${file}`);
      if (context.json) context.output.json({ file });
    }
    return EXIT.ok;
  },
};

export const auditCommands: CommandGroup = {
  name: "audit",
  summary: "The record of every search, execution, call and decision",
  commands: [list, show, tail, auditCalls, auditVerify, exportRecords, auditReplay],
};

async function follow(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  each: (record: AuditRecord) => void,
): Promise<void> {
  try {
    for await (const line of splitLines(body)) each(JSON.parse(line));
  } catch (error) {
    throw new GateError("ERR_NOT_REACHABLE", "The service broke the stream off", {
      hint: "See whether it still runs; its log says why it ended",
      cause: error,
    });
  }
}

/** Up to `limit` records in pages, newest first. */
async function* pages(
  client: ApiClient,
  query: Filter,
  limit: number,
): AsyncGenerator<readonly AuditRecord[]> {
  let left = limit;
  let after: string | undefined;
  while (left > 0) {
    const page = await client.call("GET /audit", {
      query: { ...query, limit: Math.min(left, PAGE_RECORDS), after },
    });
    yield page.records;
    left -= page.records.length;
    after = page.next;
    if (after === undefined) return;
  }
}
