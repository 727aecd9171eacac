import { parse as readCsv } from "csv-parse/sync";
import { parquetReadObjects } from "hyparquet";
import assert from "node:assert/strict";
import readSyslog from "nsyslog-parser";
import { type AuditLog, openAuditLog } from "../../../src/audit/audit_log.ts";
import { exportAudit, type ExportFormat } from "../../../src/audit/export/export_audit.ts";
import { renderSyslog } from "../../../src/audit/ship/sink_syslog.ts";
import { verifyAuditExport } from "../../../src/audit/verify/verify_audit.ts";
import type { AuditEvent } from "../../../src/model/event.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";
import { makeCallOf, OUTCOME_CASES } from "../../supervisor/outcome_cases.ts";
import { CONFIG } from "../audit_fixture.ts";
import { loadOcsfSchema } from "./ocsf_validator.ts";

const WEEK_MS = 7 * 86_400_000;
const CALLS = 1_500;
const GROUPS = [["finance"], ["a b", "c"], ["a", "b c"], ['q"uote', "＝1+1"], []];
const SUBJECTS = ["ada", "＝cmd", "née 😀", "a,b|c=d\\e", "👨‍👩‍👧‍👦"];

/** Which rows of an export fall under each outcome; equal for every format, or one of them lies. */
type Counts = { readonly [outcome: string]: number };

/** A week of calls: what the gate itself records for each way in which a call ends, again and again. */
async function recordWeek(): Promise<{ log: AuditLog; expected: Counts }> {
  const templates: { effect: string; events: readonly AuditEvent[] }[] = [];
  for (const one of OUTCOME_CASES) {
    templates.push({ effect: one.effect, events: (await makeCallOf(one)).events });
  }
  const clock = { now: Date.parse("2026-04-01T00:00:00Z") };
  const store = createMemoryStore();
  const log = await openAuditLog({ store, chain: "main", config: CONFIG, now: () => clock.now });
  const outcomes: string[] = [];
  for (let n = 0; n < CALLS; n++) {
    clock.now += WEEK_MS / CALLS;
    // Not the same number of each: a mix-up of two would show.
    const { effect, events } =
      templates[(n * n + (n >> 3)) % templates.length] as typeof templates[0];
    outcomes.push(effect);
    for (const event of events) {
      const sub = SUBJECTS[n % SUBJECTS.length] ?? "";
      const groups = GROUPS[n % GROUPS.length] ?? [];
      await log.append({
        ...event,
        execution: `e${n}`,
        call: `e${n}:0`,
        ...(event.actor === undefined ? {} : { actor: { ...event.actor, sub, groups } }),
      });
    }
  }
  return { log, expected: count(outcomes) };
}

function count(words: Iterable<unknown>): Counts {
  const counts: { [word: string]: number } = {};
  for (const word of words) counts[String(word)] = (counts[String(word)] ?? 0) + 1;
  return counts;
}

async function exported(log: AuditLog, format: ExportFormat): Promise<ArrayBuffer> {
  const pieces = await Array.fromAsync(exportAudit(log.records(), format));
  return await new Blob(pieces).arrayBuffer();
}

async function linesOf(log: AuditLog, format: ExportFormat): Promise<string[]> {
  return new TextDecoder().decode(await exported(log, format)).trimEnd().split("\n");
}

/** What each reader of another's making finds: the outcome of each call, and what was denied. */
interface Reading {
  readonly outcomes: Counts;
  readonly denied: number;
  readonly calls: number;
  /** The groups of each call, as far as the format has them. */
  readonly groups?: readonly string[][];
}

const READERS: { readonly [reader: string]: (log: AuditLog) => Promise<Reading> } = {
  async "csv: csv-parse"(log) {
    const text = new TextDecoder().decode(await exported(log, "csv"));
    const rows: { [column: string]: string }[] = readCsv(text, { columns: true, bom: true });
    return readFlat(rows);
  },
  async "parquet: hyparquet"(log) {
    const rows = await parquetReadObjects({ file: await exported(log, "parquet") });
    return readFlat(
      rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value ?? "")]))
      ),
    );
  },
  async "cef over syslog: nsyslog-parser"(log) {
    const calls: { [field: string]: string }[] = [];
    for await (const record of log.records()) {
      const read = readSyslog(renderSyslog(record, "cef"), { cef: true, fields: true });
      assert.equal(read.type, "CEF");
      assert.equal(read.messageid, record.kind);
      assert.equal(read.cef.deviceEventClassID, record.kind);
      if (record.kind === "call.outcome") calls.push(read.fields);
    }
    return {
      outcomes: count(calls.map(({ flexString1 }) => flexString1)),
      denied: calls.filter(({ act }) => act === "deny").length,
      calls: calls.length,
    };
  },
  async "ocsf: JSON.parse"(log) {
    const events = (await linesOf(log, "ocsf")).map((line) => JSON.parse(line));
    const calls = events.filter(({ metadata }) => metadata.event_code === "call.outcome");
    const denied = calls.filter(({ action_id }) => action_id === 2);
    // Blocked or Unauthorized, an alert, and no success.
    for (const event of denied) {
      assert.ok([2, 26].includes(event.disposition_id), JSON.stringify(event));
      assert.deepEqual([event.is_alert, event.status], [true, "Failure"]);
    }
    return {
      outcomes: count(calls.map(({ unmapped }) => unmapped.effect)),
      denied: denied.length,
      calls: calls.length,
      groups: calls.map(({ actor }) => actor.user.groups.map(({ name }: { name: string }) => name)),
    };
  },
};

function readFlat(rows: readonly { readonly [column: string]: string }[]): Reading {
  const calls = rows.filter(({ kind }) => kind === "call.outcome");
  return {
    outcomes: count(calls.map(({ effect }) => effect)),
    denied: calls.filter(({ disposition }) => disposition === "denied").length,
    calls: calls.length,
    groups: calls.map(({ groups }) => groups === "" ? [] : JSON.parse(groups ?? "")),
  };
}

Deno.test("readers of others find the same outcomes in every export of a week", async (test) => {
  const { log, expected } = await recordWeek();
  const kinds = [
    "allow",
    "planned",
    "ask",
    "cancelled",
    "unknown",
    "failed",
    "hidden",
    "refused",
    "deny",
  ];
  assert.deepEqual(Object.keys(expected).toSorted(), kinds.toSorted());
  const { ask = 0, hidden = 0, refused = 0, deny = 0 } = expected;
  const denied = ask + hidden + refused + deny;
  const groups = Array.from({ length: CALLS }, (_, n) => GROUPS[n % GROUPS.length]);
  for (const [name, read] of Object.entries(READERS)) {
    await test.step(name, async () => {
      const reading = await read(log);
      assert.deepEqual(reading.outcomes, expected);
      assert.equal(reading.denied, denied);
      assert.equal(reading.calls, CALLS);
      if (reading.groups !== undefined) assert.deepEqual(reading.groups, groups);
    });
  }
  await test.step("the filters find as many", async () => {
    for (const effect of kinds) {
      const found = await Array.fromAsync(log.records({ effect, kind: "call.outcome" }));
      assert.equal(found.length, effect === "deny" ? denied : expected[effect], effect);
      const page = await log.query({ effect, kind: "call.outcome", limit: 10_000 });
      assert.equal(page.records.length, found.length, effect);
    }
  });
  await test.step("jsonl: the chain verifies with the public key alone", async () => {
    await log.checkpoint();
    const lines = await linesOf(log, "jsonl");
    const report = await verifyAuditExport(lines, { verifierKeys: [log.verifierKey] });
    assert.deepEqual([report.ok, report.records], [true, lines.length]);
  });
  const schema = await loadOcsfSchema("api_activity");
  await test.step(
    schema === null ? "ocsf: (without schema files: not compared)" : "ocsf: fits the schema",
    async () => {
      for (const line of await linesOf(log, "ocsf")) {
        const event = JSON.parse(line);
        assert.deepEqual(schema?.validate(event) ?? [], [], line);
      }
    },
  );
  await log.close();
});
