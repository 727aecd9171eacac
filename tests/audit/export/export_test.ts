import { parquetReadObjects } from "hyparquet";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { openAuditLog } from "../../../src/audit/audit_log.ts";
import { renderCef } from "../../../src/audit/export/cef.ts";
import { EXPORT_COLUMNS } from "../../../src/audit/export/columns.ts";
import { renderCsvLine } from "../../../src/audit/export/csv.ts";
import {
  EXPORT_FORMATS,
  exportAudit,
  type ExportFormat,
} from "../../../src/audit/export/export_audit.ts";
import { toOcsf } from "../../../src/audit/export/ocsf.ts";
import { verifyAuditExport } from "../../../src/audit/verify/verify_audit.ts";
import type { AuditActor, AuditKind, AuditRecord } from "../../../src/model/event.ts";
import { canonicalJson } from "../../../src/model/json/canonical_json.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";
import { CONFIG, intent, writeExecutions } from "../audit_fixture.ts";
import { loadOcsfSchema } from "./ocsf_validator.ts";

const BASE: AuditRecord = {
  ...intent("e1:0"),
  v: 1,
  chain: "main",
  seq: 7,
  ts: "2026-04-01T10:00:00.123Z",
  prev: "ab".repeat(32),
};

const NASTY = "a\"b,c|d=e\\f\ng\rh\u0000i\u2028j=cmd|' /C calc'!A0";

/** One record of every kind and of every decision. */
function variety(): AuditRecord[] {
  const kinds: AuditKind[] = [
    "search",
    "execution.start",
    "execution.end",
    "call.intent",
    "call.outcome",
    "approval.ask",
    "approval.decide",
    "limit.hit",
    "catalog.change",
    "policy.activate",
    "auth.fail",
    "admin",
    "checkpoint",
  ];
  const { actor: _actor, tool: _tool, decision: _decision, call: _call, ...bare } = BASE;
  const records: AuditRecord[] = [];
  for (const kind of kinds) {
    records.push({ ...bare, kind }, { ...BASE, kind });
    for (const status of ["ok", "error", "unknown", "ERR_UPSTREAM"]) {
      records.push({ ...BASE, kind, result: { status, bytes: 10, commit: "cd".repeat(32) } });
    }
  }
  for (const effect of ["allow", "ask", "deny", "hidden"] as const) {
    const decision = { effect, because: ["r1", "r2"], bundle: "b" };
    records.push({ ...BASE, decision }, { ...BASE, decision, approval: "ap1" });
    records.push({ ...BASE, decision: { ...decision, observed: "deny" } });
  }
  for (const access of ["read", "write", "destructive"] as const) {
    for (const name of ["create_issue", "delete_issue", "get", NASTY]) {
      records.push({ ...BASE, tool: { server: "s", name, access } });
    }
  }
  records.push({
    ...BASE,
    trace: "4bf92f3577b34da6a3ce929d0e0e4736",
    task: "t1",
    err: { code: "ERR_UPSTREAM", message: NASTY },
    ms: { total: 12.5, policy: 0.1, upstream: 11, waitHuman: 1_000 },
    cost: 0.02,
    args: { commit: "ef".repeat(32), bytes: 12, redactions: 1 },
    detail: { note: NASTY, tampered: "yes" },
  });
  return records.map((record, seq) => ({ ...record, seq }));
}

async function collect(
  records: readonly AuditRecord[],
  format: ExportFormat,
): Promise<Uint8Array<ArrayBuffer>> {
  async function* all() {
    yield* records;
  }
  const pieces = await Array.fromAsync(exportAudit(all(), format));
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

Deno.test("exportAudit() writes every record in every format", async () => {
  const records = variety();
  for (const format of EXPORT_FORMATS) {
    const bytes = await collect(records, format);
    const text = new TextDecoder().decode(bytes);
    const count = {
      jsonl: () => text.trim().split("\n").map((line) => JSON.parse(line)).length,
      ocsf: () => text.trim().split("\n").map((line) => JSON.parse(line)).length,
      cef: () => text.trim().split("\n").filter((line) => line.startsWith("CEF:0|")).length,
      csv: () => parseCsv(text).length - 1,
      parquet: () => records.length, // read below
    }[format]();
    assert.equal(count, records.length, format);
  }
});

Deno.test("a JSONL export verifies with the public key alone", async () => {
  const store = createMemoryStore();
  const log = await openAuditLog({ store, chain: "main", config: CONFIG });
  await writeExecutions(log, 12);
  await log.checkpoint();
  const pieces = await Array.fromAsync(exportAudit(log.records(), "jsonl"));
  const lines = await new Blob(pieces).text();
  const report = await verifyAuditExport(lines.split("\n"), { verifierKeys: [log.verifierKey] });
  assert.equal(report.ok, true);
  assert.equal(report.records, (await store.scan({ limit: 1_000 })).entries.length);
  await log.close();
});

Deno.test("an OCSF export fits the schema in every kind and decision", async (test) => {
  const schema = await loadOcsfSchema("api_activity");
  await test.step(schema === null ? "(without schema files: not compared)" : "compared", () => {
    for (const record of variety()) {
      const event = toOcsf(record);
      assert.deepEqual(schema?.validate({ ...event }) ?? [], [], `${record.kind} ${record.seq}`);
      for (const required of ["activity_id", "actor", "api", "metadata", "src_endpoint", "time"]) {
        assert.ok(event[required] !== undefined);
      }
      assert.equal(event.class_uid, 6_003);
    }
  });
  await test.step("the comparison finds what is wrong", () => {
    if (schema === null) return;
    const event = toOcsf(BASE);
    const { api: _api, ...withoutApi } = event;
    assert.deepEqual(schema.validate(withoutApi), ["api is required"]);
    assert.ok(schema.validate({ ...event, action_id: 77 }).length > 0);
    assert.equal(schema.validate({ ...event, time: "now" }).length, 1);
    assert.equal(schema.validate({ ...event, surprise: 1 }).length, 1);
    assert.equal(schema.validate({ ...event, action: "Denied" }).length, 1);
    assert.equal(schema.validate({ ...event, actor: {} }).length, 1);
  });
});

Deno.test("an OCSF event carries the native line and its own fingerprint", () => {
  const event = toOcsf(BASE);
  assert.equal(event.raw_data, canonicalJson(BASE));
  const [attestation] = event.attestation_list as [{ fingerprint: { value: string } }];
  const { fingerprint, ...rest } = attestation;
  const unsigned = canonicalJson({ ...event, attestation_list: [rest] });
  assert.equal(fingerprint.value, createHash("sha256").update(unsigned).digest("hex"));
});

Deno.test("renderCef() escapes heads and values, and stays one line", () => {
  const record: AuditRecord = {
    ...BASE,
    tool: { server: "s|x", name: NASTY, access: "write" },
    err: { code: "E=1", message: NASTY },
  };
  const line = renderCef(record);
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\x00-\x1f\u2028]/.test(line));
  const { head, extension } = parseCef(line);
  assert.equal(head.length, 7);
  assert.equal(head[0], "CEF:0");
  assert.equal(head[4], "call.intent");
  assert.match(head[5] ?? "", /^call\.intent s\|x\.a"b,c\|d=e\\f g h i j=cmd/);
  assert.equal(extension.get("reason"), "E=1");
  assert.match(extension.get("msg") ?? "", /^a"b,c\|d=e\\f\ng\nh i j=cmd/);
  assert.equal(extension.get("suser"), "ada");
  assert.equal(extension.get("cs1Label"), "execution");
  assert.equal(extension.get("externalId"), "main/7");
  const created = renderCef({
    ...BASE,
    kind: "admin",
    detail: { action: "keys.create", id: "k=1" },
  });
  assert.equal(
    parseCef(created).extension.get("msg"),
    '{"action":"keys.create","id":"k=1"}',
  );
});

Deno.test("renderCsvLine() quotes, keeps columns together and disarms formulas", () => {
  for (const start of ["=", "+", "-", "@", "\t", "\r"]) {
    const message = `${start}HYPERLINK("http://x")`;
    const line = renderCsvLine({ ...BASE, err: { code: "E", message } });
    const [fields] = parseCsv(line);
    assert.equal(fields?.length, EXPORT_COLUMNS.length);
    const at = EXPORT_COLUMNS.findIndex(({ name }) => name === "error_message");
    assert.equal(fields?.[at], `'${message}`);
  }
  const [fields] = parseCsv(renderCsvLine({ ...BASE, space: NASTY }));
  assert.equal(fields?.[4], NASTY);
  const [quiet] = parseCsv(renderCsvLine({ ...BASE, cost: 0.5 }));
  assert.equal(quiet?.[EXPORT_COLUMNS.findIndex(({ name }) => name === "cost_usd")], "0.5");
});

Deno.test("renderCsvLine() disarms full-width and small forms, and formulas behind blanks", () => {
  const at = EXPORT_COLUMNS.findIndex(({ name }) => name === "space");
  for (
    const start of [
      "＝",
      "＋",
      "－",
      "＠",
      "﹦",
      "﹢",
      "﹣",
      "﹫",
      " =",
      "\u00a0＝",
      "\u200b=",
      "\ufeff@",
    ]
  ) {
    const space = `${start}1+1`;
    assert.equal(parseCsv(renderCsvLine({ ...BASE, space }))[0]?.[at], `'${space}`);
  }
  const harmless = "a＝b";
  assert.equal(parseCsv(renderCsvLine({ ...BASE, space: harmless }))[0]?.[at], harmless);
});

Deno.test("the flat forms keep the ends of each name in a list", () => {
  const read = (name: string, record: AuditRecord) =>
    EXPORT_COLUMNS.find((column) => column.name === name)?.read(record);
  const groupsOf = (groups: string[]) =>
    read("groups", { ...BASE, actor: { ...BASE.actor as AuditActor, groups } });
  assert.equal(groupsOf(["a b", "c"]), '["a b","c"]');
  assert.notEqual(groupsOf(["a b", "c"]), groupsOf(["a", "b c"]));
  assert.equal(groupsOf([]), null);
  const decision = { effect: "deny", because: ["r 1", 'r"2'], bundle: "b" } as const;
  assert.equal(read("because", { ...BASE, decision }), '["r 1","r\\"2"]');
});

Deno.test("the outcome decides what an export says of a call, not the rule that let it through", () => {
  const allow = { effect: "allow", because: ["r1"], bundle: "b" } as const;
  const ended = (code: string, more: Partial<AuditRecord> = {}): AuditRecord => ({
    ...BASE,
    kind: "call.outcome",
    decision: allow,
    result: { status: code },
    err: { code, message: "No" },
    ...more,
  });
  const { decision: _, ...undecided } = ended("ERR_INVALID_ARGUMENTS");
  const ask = { ...allow, effect: "ask" } as const;
  const pinned = { ...allow, effect: "hidden", because: ["drift"] } as const;
  const stopped: [string, AuditRecord][] = [
    ["refused", ended("ERR_LIMIT_REACHED", { detail: { limit: "day" } })],
    ["refused", ended("ERR_INVALID_ARGUMENTS")],
    ["refused", undecided],
    ["refused", ended("ERR_TOOL_UNAVAILABLE", { decision: pinned })],
    ["ask", ended("ERR_APPROVAL_REQUIRED", { decision: ask })],
    ["ask", ended("ERR_APPROVAL_REQUIRED", { detail: { limit: "day" } })],
    ["deny", ended("ERR_POLICY_DENIED", { decision: { ...allow, effect: "deny" } })],
    ["refused", { ...BASE, kind: "limit.hit", detail: { limit: "day" } }],
    ["ask", { ...BASE, kind: "limit.hit", detail: { limit: "day", over: "ask" } }],
  ];
  for (const [effect, record] of stopped) {
    const event = toOcsf(record);
    const what = `${effect} ${record.err?.code ?? record.kind}`;
    assert.equal(event.action_id, 2, what);
    assert.deepEqual([event.disposition_id, event.disposition], [2, "Blocked"], what);
    assert.deepEqual([event.is_alert, event.severity_id], [true, 3], what);
    const cef = parseCef(renderCef(record)).extension;
    assert.deepEqual([cef.get("act"), cef.get("flexString1")], ["deny", effect], what);
    const columns = columnsOf(record);
    assert.deepEqual([columns.get("disposition"), columns.get("effect")], ["denied", effect], what);
  }
  const made = { ms: { upstream: 5 } };
  const passed: [string, number, string, AuditRecord][] = [
    ["allow", 1, "allowed", { ...BASE, kind: "call.outcome", result: { status: "ok" } }],
    ["failed", 1, "allowed", ended("ERR_UPSTREAM", made)],
    ["unknown", 1, "allowed", ended("ERR_OUTCOME_UNKNOWN")],
    ["cancelled", 1, "allowed", ended("ERR_CANCELLED", made)],
    ["cancelled", 99, "cancelled", ended("ERR_CANCELLED")],
    ["planned", 3, "planned", { ...BASE, kind: "call.outcome", result: { status: "planned" } }],
    ["allow", 3, "observed", {
      ...BASE,
      kind: "call.outcome",
      decision: { ...allow, observed: "deny" },
      result: { status: "ok" },
    }],
  ];
  for (const [effect, action, disposition, record] of passed) {
    const what = `${effect} ${disposition}`;
    assert.equal(toOcsf(record).action_id, action, what);
    const columns = columnsOf(record);
    assert.deepEqual([columns.get("disposition"), columns.get("effect")], [disposition, effect]);
    assert.notEqual(parseCef(renderCef(record)).extension.get("act"), "deny", what);
  }
});

Deno.test("the class of a tool decides its OCSF activity, and a name only where there is no class", () => {
  const activity = (name: string, access?: "read" | "write" | "destructive") =>
    toOcsf({ ...BASE, tool: { server: "s", name, ...(access ? { access } : {}) } }).activity_name;
  for (const name of ["posts_delete", "addressRemove", "create_issue", "newsletter", "get"]) {
    assert.equal(activity(name, "destructive"), "Delete", name);
    assert.equal(activity(name, "write"), "Update", name);
    assert.equal(activity(name, "read"), "Read", name);
  }
  assert.equal(activity("create_issue"), "Create");
  assert.equal(activity("postsDelete"), "Delete");
  for (const name of ["address", "newsletter", "sender", "postpone", "getaway", "removed"]) {
    assert.equal(activity(name), "call.intent", name);
  }
});

Deno.test("renderCef() never cuts an emoji in two", () => {
  for (const emoji of ["😀", "👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "é̂"]) {
    for (let room = 0; room <= emoji.length; room++) {
      const message = `${"x".repeat(1_023 - room)}${emoji}${emoji}`;
      const cef = renderCef({ ...BASE, err: { code: "E", message } });
      const kept = parseCef(cef).extension.get("msg") ?? "";
      assert.ok(kept === "x".repeat(1_023 - room) + (room === emoji.length ? emoji : ""), emoji);
    }
  }
  // A run of joiners without end is cut all the same, between two code points.
  const endless = parseCef(
    renderCef({ ...BASE, err: { code: "E", message: "😀\u200d".repeat(900) } }),
  );
  const kept = endless.extension.get("msg") ?? "";
  assert.ok(kept.isWellFormed() && kept.length > 900, `${kept.length}`);
});

function columnsOf(record: AuditRecord): Map<string, unknown> {
  return new Map(EXPORT_COLUMNS.map(({ name, read }) => [name, read(record)]));
}

Deno.test("a Parquet export is read by another library, over several row groups", async () => {
  const records = variety();
  const file = await collect(records, "parquet");
  const rows = await parquetReadObjects({ file: file.buffer });
  assert.equal(rows.length, records.length);
  for (const [index, row] of rows.entries()) {
    for (const { name, type, read } of EXPORT_COLUMNS) {
      const wanted = read(records[index] as AuditRecord);
      const found = row[name] as unknown;
      if (wanted === null) assert.ok(found === null || found === undefined, name);
      else if (type === "time") assert.equal((found as Date).getTime(), wanted);
      else assert.equal(type === "integer" ? Number(found) : found, wanted, name);
    }
  }
  const many = Array.from({ length: 25_000 }, (_, seq) => ({ ...BASE, seq }));
  const large = await parquetReadObjects({ file: (await collect(many, "parquet")).buffer });
  assert.equal(large.length, 25_000);
  assert.equal(large[24_999]?.seq, 24_999n);
  const none = await parquetReadObjects({ file: (await collect([], "parquet")).buffer });
  assert.deepEqual(none, []);
});

Deno.test("records() reads oldest first, filtered, over several chains", async () => {
  const store = createMemoryStore();
  const clock = { now: 1_700_000_000_000 };
  const logs = await Promise.all(
    ["a", "b"].map((chain) => openAuditLog({ store, chain, config: CONFIG, now: () => clock.now })),
  );
  for (let n = 0; n < 1_200; n++) {
    clock.now += 10;
    await logs[n % 2]?.append(intent(`e${n % 3}:${n}`, n % 2 ? "pay.x" : "mail.y"));
  }
  const all = await Array.fromAsync(logs[0]?.records() ?? []);
  assert.deepEqual(all.map(({ ts }) => ts), all.map(({ ts }) => ts).sort());
  assert.equal(all.length, 1_202);
  const some = await Array.fromAsync(logs[1]?.records({ execution: "e1", tool: "pay.*" }) ?? []);
  assert.equal(some.length, 200);
  const since = Date.parse(all[600]?.ts ?? "");
  const later = await Array.fromAsync(logs[0]?.records({ since, until: since + 50 }) ?? []);
  assert.equal(later.length, 5);
  for (const log of logs) await log.close();
});

function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (quoted) {
      if (character !== '"') field += character;
      else if (text[at + 1] === '"') field += text[++at];
      else quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "," || character === "\r") {
      row.push(field);
      field = "";
      if (character === ",") continue;
      assert.equal(text[++at], "\n");
      rows.push(row);
      row = [];
    } else field += character;
  }
  assert.equal(field, "");
  return rows;
}

function parseCef(line: string): { head: string[]; extension: Map<string, string> } {
  const head: string[] = [];
  let part = "";
  let at = 0;
  while (head.length < 7) {
    const character = line[at++] as string;
    if (character === "\\") part += line[at++];
    else if (character === "|") {
      head.push(part);
      part = "";
    } else part += character;
  }
  const extension = new Map<string, string>();
  const pairs = line.slice(at).matchAll(/(\w+)=((?:\\.|[^\\=])*?)(?= \w+=|$)/g);
  for (const [, key = "", value = ""] of pairs) {
    extension.set(
      key,
      value.replaceAll(/\\(.)/g, (_, character) => character === "n" ? "\n" : character),
    );
  }
  return { head, extension };
}
