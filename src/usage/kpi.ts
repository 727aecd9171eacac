/**
 * Measures what agents used, what that cost and whether it worked, in one pass over audit records.
 *
 * Records come oldest first. Memory depends on the numbers of groups, of open tasks and of
 * executions that a late report may be about. It does not grow with the length of the period.
 */
import type { AuditRecord } from "../model/event.ts";
import { isStopped } from "../model/verdict.ts";
import { createTaskTracker, factsOf, type Task, type TaskTracker } from "./task_tracker.ts";
import type { UsageBy, UsageFigures } from "./usage_row.ts";
import { createUsageTable, SHARED_SUMS, type UsageTable } from "./usage_table.ts";

export interface UsageOptions {
  readonly by: UsageBy;
  /** Milliseconds since the epoch, inclusive. */
  readonly since: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly until: number;
  /** Price of a model's input, for the estimated cost of classic tools. */
  readonly usdPerMillionTokens: number;
  readonly tasksMax?: number;
  readonly executionsMax?: number;
  /** Groups with their own figures; the rest are counted together as `OTHER_GROUPS`. */
  readonly groupsMax?: number;
}

export interface Usage {
  readonly total: UsageFigures;
  /** Most expensive first, then by calls. */
  readonly rows: readonly UsageFigures[];
  /** Each day of the period (UTC), oldest first. */
  readonly days: readonly UsageFigures[];
  /** True if more tasks were open at once than `tasksMax`, so that some tasks count as two. */
  readonly tasksAreCut: boolean;
}

/** The group for calls of tools that do not exist: callers can invent any number of names. */
export const NO_SUCH_TOOL = "(no such tool)";

const TASKS_MAX = 20_000;
const EXECUTIONS_MAX = 100_000;

/** Report ids that are remembered, so that a repeated report counts once. */
const REPORTS_MAX = 200_000;

/** Records between two looks at the clock, and about how long other work waits at most. */
const SLICE_RECORDS = 32;
const SLICE_MS = 5;

/** Measures all records; lets other work run every few milliseconds. */
export async function measureUsage(
  records: AsyncIterable<AuditRecord> | Iterable<AuditRecord>,
  options: UsageOptions,
): Promise<Usage> {
  const meter = createUsageMeter(options);
  let seen = 0;
  let sliceFrom = performance.now();
  for await (const record of records) {
    meter.add(record);
    if (++seen % SLICE_RECORDS !== 0 || performance.now() - sliceFrom < SLICE_MS) continue;
    await new Promise<void>((resolve) => setImmediate(resolve));
    sliceFrom = performance.now();
  }
  return meter.finish();
}

export interface UsageMeter {
  add(record: AuditRecord): void;
  /** Ends every task. Do not add records afterwards. */
  finish(): Usage;
}

export function createUsageMeter(options: UsageOptions): UsageMeter {
  const table = createUsageTable(options);
  const wasReported = createReportMemory();
  const tracker = createTaskTracker({
    tasksMax: options.tasksMax ?? TASKS_MAX,
    executionsMax: options.executionsMax ?? EXECUTIONS_MAX,
    onEnd(task) {
      const facts = factsOf(task);
      const groups = groupsOfTask(options.by, task);
      for (const sums of table.sumsOf(groups, task.firstMs)) sums.addTask(facts);
    },
  });
  const parts: MeterParts = { by: options.by, table, tracker, wasReported };
  return {
    add: (record) => addRecord(parts, record, Date.parse(record.ts)),
    finish() {
      tracker.endAll();
      return { ...table.usage(), tasksAreCut: tracker.isCut };
    },
  };
}

interface MeterParts {
  readonly by: UsageBy;
  readonly table: UsageTable;
  readonly tracker: TaskTracker;
  readonly wasReported: (record: AuditRecord) => boolean;
}

function addRecord(parts: MeterParts, record: AuditRecord, ms: number): void {
  if (record.kind === "admin") return addReport(parts, record, ms);
  if (!COUNTED.has(record.kind)) return;
  const task = parts.tracker.touch(record, ms);
  if (task === null) return;
  task.waitHumanMs += record.kind === "call.outcome" ? record.ms?.waitHuman ?? 0 : 0;
  if (record.kind === "search") addSearch(parts, record, ms);
  else if (record.kind === "execution.start") beginExecution(record, task);
  else if (record.kind === "execution.end") endExecution(parts, record, task, ms);
  else if (record.kind === "call.outcome") addCall(parts, record, task, ms);
}

function addSearch({ by, table }: MeterParts, record: AuditRecord, ms: number): void {
  if (record.call !== undefined) return; // a call of a program: no model read its result
  const tokens = numberOf(record.detail?.tokensReturned);
  const isList = record.detail?.type === "tools.list";
  const unloaded = isList ? numberOf(record.detail?.tokensDefinitions) : 0;
  for (const sums of table.sumsOf(groupsOfRecord(by, record), ms)) {
    if (!isList) sums.searches++;
    sums.tokensDefinitions += tokens;
    sums.tokensKeptOut += unloaded - tokens;
  }
}

function beginExecution(record: AuditRecord, task: Task): void {
  task.firstExecution ??= { id: record.execution ?? "", ok: false, calls: 0 };
}

function endExecution(parts: MeterParts, record: AuditRecord, task: Task, ms: number): void {
  const ok = record.result?.status === "ok";
  const calls = numberOf(record.detail?.calls);
  task.executions++;
  task.lastExecuteOk = ok;
  task.firstExecution ??= { id: record.execution ?? "", ok, calls };
  if (task.firstExecution.id === record.execution) {
    task.firstExecution.ok = ok;
    task.firstExecution.calls = calls;
  }
  const isByTool = parts.by === "tool";
  const tools = parts.tracker.execution(record, task)?.tools ?? [];
  const keys = isByTool ? [...tools] : groupsOfRecord(parts.by, record);
  for (const [index, sums] of parts.table.sumsOf(keys, ms).entries()) {
    sums.executions++;
    // The tokens of a whole program do not belong to any single tool.
    if (isByTool && index >= SHARED_SUMS) continue;
    sums.tokensCode += numberOf(record.detail?.codeTokens);
    sums.tokensReturned += numberOf(record.detail?.tokensReturned);
    sums.tokensKeptOut += record.result?.tokensKeptOut ?? 0;
  }
}

function addCall(parts: MeterParts, record: AuditRecord, task: Task, ms: number): void {
  const { by, table, tracker } = parts;
  const status = record.result?.status ?? "unknown";
  const ok = status === "ok" || status === "planned";
  const tool = toolOf(record);
  const isClassic = record.detail?.classic === true;
  task.tools.add(tool);
  tracker.execution(record, task)?.tools.add(tool);
  if (isClassic) task.lastCallOk = ok;
  const isWrite = record.tool?.access === "write" || record.tool?.access === "destructive";
  const tokens = status === "ok" ? Math.ceil((record.result?.bytes ?? 0) / 4) : 0;
  for (const [index, sums] of table.sumsOf(groupsOfRecord(by, record), ms).entries()) {
    sums.calls++;
    if (!ok && isStopped(record)) sums.refused++;
    else if (!ok) sums.failed++;
    if (status === "ok" && isWrite) sums.successfulWrites++;
    sums.toolUsd += record.cost ?? 0;
    if (record.ms?.total !== undefined) sums.callMs.add(record.ms.total);
    if (isClassic) sums.tokensReturned += tokens;
    else if (by === "tool" && index >= SHARED_SUMS) sums.tokensKeptOut += tokens;
  }
}

/** Adds a client's report about a task: whether it is done, and what the client's models used. */
function addReport(parts: MeterParts, record: AuditRecord, ms: number): void {
  const { by, table, tracker } = parts;
  const { detail } = record;
  if (detail?.type === "feedback" && typeof detail.success === "boolean") {
    const task = tracker.find(record, ms);
    if (task !== null) task.reported = detail.success;
  }
  if (detail?.type !== "usage" || parts.wasReported(record)) return;
  for (const sums of table.sumsOf(by === "tool" ? [] : groupsOfRecord(by, record), ms)) {
    const { usd = null, inputTokens = 0, outputTokens = 0 } = sums.model ?? {};
    sums.model = {
      usd: record.cost === undefined ? usd : (usd ?? 0) + record.cost,
      inputTokens: inputTokens + numberOf(detail.inputTokens),
      outputTokens: outputTokens + numberOf(detail.outputTokens),
    };
  }
}

/** Tells whether a report with the same client-given id came before: it counts once. */
function createReportMemory(): (record: AuditRecord) => boolean {
  const reports = new Set<string>();
  return ({ actor, detail }) => {
    if (typeof detail?.report !== "string") return false;
    const report = JSON.stringify([actor?.iss, actor?.sub, detail.report]);
    if (reports.has(report)) return true;
    if (reports.size < REPORTS_MAX) reports.add(report);
    return false;
  };
}

const COUNTED: ReadonlySet<string> = new Set([
  "search",
  "execution.start",
  "execution.end",
  "call.intent",
  "call.outcome",
]);

function groupsOfRecord(by: UsageBy, record: AuditRecord): readonly string[] {
  switch (by) {
    case "principal":
      return [record.actor?.sub ?? ""];
    case "client":
      return [record.actor?.client ?? ""];
    case "group":
      return orNone(record.actor?.groups ?? []);
    case "space":
      return [record.space ?? ""];
    case "tool":
      return record.kind === "call.outcome" ? [toolOf(record)] : [];
    case "day":
      return [];
  }
}

function groupsOfTask(by: UsageBy, task: Task): readonly string[] {
  switch (by) {
    case "principal":
      return [task.principal];
    case "client":
      return [task.client];
    case "group":
      return orNone(task.groups);
    case "space":
      return orNone([...task.spaces]);
    case "tool":
      return [...task.tools];
    case "day":
      return [];
  }
}

function orNone(keys: readonly string[]): readonly string[] {
  return keys.length === 0 ? [""] : keys;
}

function toolOf({ tool }: AuditRecord): string {
  if (tool === undefined || tool.pin === undefined) return NO_SUCH_TOOL;
  return `${tool.server}.${tool.name}`;
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
