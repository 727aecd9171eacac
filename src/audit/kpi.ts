/**
 * Usage and KPIs, computed from audit records alone.
 *
 * Token counts are estimates (o200k) unless they were reported; `docs/audit.md` has the definitions.
 */
import type { AuditRecord } from "../model/event.ts";
import { toolName } from "./audit_record.ts";
import { createHistogram, type Histogram } from "./histogram.ts";
import {
  createTaskTable,
  finishMs,
  isFirstTrySuccess,
  isMultiHop,
  outcomeOf,
  type Task,
} from "./kpi_tasks.ts";

export const USAGE_DIMENSIONS = ["principal", "group", "space", "tool", "client", "day"] as const;
export type UsageDimension = (typeof USAGE_DIMENSIONS)[number];

/** Null: there is nothing to divide by. */
export interface UsageRow {
  /** Name of the group, or the day (UTC) as `2026-04-01`; `(none)` where a record has none. */
  readonly key: string;
  readonly searches: number;
  readonly executions: number;
  readonly calls: number;
  /** Calls that the gate denied, hid, or left waiting. */
  readonly refused: number;
  /** Calls that reached their tool and failed. */
  readonly failed: number;
  /** Successful calls of tools that write or destroy. */
  readonly successfulWrites: number;
  readonly tasks: number;
  readonly completedTasks: number;
  /** Of the completed ones, those that were reported to be. */
  readonly completedExplicit: number;
  /** 0 to 1, over the tasks with an execution. */
  readonly firstTrySuccess: number | null;
  /** The same, over tasks whose first execution made two calls or more. */
  readonly firstTrySuccessMultiHop: number | null;
  /** Gateway tokens of all tasks, failed ones too, for each completed one. */
  readonly tokensPerCompletedTask: number | null;
  readonly gatewayTokens: number;
  /** As reported; null when nobody did. */
  readonly modelTokens: number | null;
  readonly tokensReturned: number;
  readonly tokensKeptOut: number;
  /** US dollars: prices of tools and reported model cost. */
  readonly costUsd: number;
  readonly costPerSuccessUsd: number | null;
  readonly costPerCompletedTaskUsd: number | null;
  /** Milliseconds from a task's first request to the end of its last successful execution. */
  readonly finishMsP50: number | null;
  readonly finishMsP95: number | null;
  /** The same without waiting for people. */
  readonly activeMsP50: number | null;
  readonly activeMsP95: number | null;
  /** Milliseconds of calls that reached their tool, to 4.4 %. */
  readonly callMsP50: number | null;
  readonly callMsP95: number | null;
}

export interface UsageReport {
  readonly by: UsageDimension;
  readonly total: UsageRow;
  /** Most expensive first, then most used. */
  readonly rows: readonly UsageRow[];
  /** Each day with records, oldest first. */
  readonly days: readonly UsageRow[];
  /** True: there were more tasks or rows than could be held. */
  readonly truncated: boolean;
}

export interface UsageOptions {
  readonly by: UsageDimension;
  /** For reported model tokens without a price of their own. */
  readonly usdPerMillionTokens: number;
}

const ROWS_MAX = 10_000;
const NONE = "(none)";

/** @param records oldest first */
export async function computeUsage(
  records: AsyncIterable<AuditRecord> | Iterable<AuditRecord>,
  options: UsageOptions,
): Promise<UsageReport> {
  const meter = createUsageMeter(options);
  for await (const record of records) meter.see(record);
  return meter.report();
}

export interface UsageMeter {
  /** Records must come oldest first. */
  see(record: AuditRecord): void;
  report(): UsageReport;
}

export function createUsageMeter(options: UsageOptions): UsageMeter {
  const { by, usdPerMillionTokens } = options;
  const tasks = createTaskTable();
  const total = newTally();
  const rows = new Map<string, Tally>();
  const days = new Map<string, Tally>();
  let truncated = false;

  function tallyOf(table: Map<string, Tally>, key: string): Tally | null {
    const known = table.get(key);
    if (known !== undefined) return known;
    if (table.size >= ROWS_MAX) {
      truncated = true;
      return null;
    }
    const tally = newTally();
    table.set(key, tally);
    return tally;
  }

  function talliesOf(keys: readonly string[], day: string): Tally[] {
    const found = [total, tallyOf(days, day)];
    // By day the rows are the days themselves.
    if (by !== "day") found.push(...keys.map((key) => tallyOf(rows, key)));
    return found.filter((tally) => tally !== null);
  }

  return {
    see(record) {
      const task = tasks.taskOf(record);
      const cost = costOf(record, usdPerMillionTokens);
      if (task !== null) followTask(task, record, cost);
      for (const tally of talliesOf(keysOfRecord(record, by, task), record.ts.slice(0, 10))) {
        addRecord(tally, record, cost);
      }
    },
    report() {
      // Tasks are added at the end, when it is known how they went; a report may be asked for again.
      const finished = new Map<Tally, Task[]>();
      for (const task of tasks.all()) {
        const day = new Date(task.startMs).toISOString().slice(0, 10);
        for (const tally of talliesOf(keysOfTask(task, by), day)) {
          const ofTally = finished.get(tally);
          if (ofTally === undefined) finished.set(tally, [task]);
          else ofTally.push(task);
        }
      }
      const render = (key: string, tally: Tally) =>
        renderRow(key, tally, finished.get(tally) ?? []);
      const dayRows = [...days].sort(([a], [b]) => a < b ? -1 : 1)
        .map(([key, tally]) => render(key, tally));
      const keyRows = [...rows].map(([key, tally]) => render(key, tally));
      return {
        by,
        total: render("total", total),
        rows: by === "day" ? dayRows : keyRows.sort(compareRows),
        days: dayRows,
        truncated: truncated || tasks.isFull(),
      };
    },
  };
}

/** What is summed record by record. */
interface Tally {
  searches: number;
  executions: number;
  calls: number;
  refused: number;
  failed: number;
  successfulWrites: number;
  tokensReturned: number;
  tokensKeptOut: number;
  costUsd: number;
  readonly callMs: Histogram;
}

function newTally(): Tally {
  return {
    searches: 0,
    executions: 0,
    calls: 0,
    refused: 0,
    failed: 0,
    successfulWrites: 0,
    tokensReturned: 0,
    tokensKeptOut: 0,
    costUsd: 0,
    callMs: createHistogram(),
  };
}

function addRecord(tally: Tally, record: AuditRecord, cost: number): void {
  tally.costUsd += cost;
  tally.tokensReturned += numberIn(record, "tokensReturned");
  if (record.kind === "search") tally.searches++;
  if (record.kind === "search" || record.kind === "execution.end") {
    tally.tokensKeptOut += record.result?.tokensKeptOut ?? 0;
  }
  if (record.kind === "execution.start") tally.executions++;
  if (record.kind !== "call.outcome") return;
  tally.calls++;
  const status = record.result?.status;
  const fate = fateOf(record);
  if (fate === "refused") tally.refused++;
  if (fate === "failed") tally.failed++;
  if (record.ms?.total !== undefined && fate !== "refused") tally.callMs.add(record.ms.total);
  if (status === "ok" && isWrite(record)) tally.successfulWrites++;
}

/** What became of a call. */
function fateOf(record: AuditRecord): "ok" | "planned" | "refused" | "failed" {
  const status = record.result?.status ?? "unknown";
  if (status === "ok" || status === "planned") return status;
  const effect = record.decision?.effect;
  const isWaiting = effect === "ask" && record.approval === undefined;
  return effect === "deny" || effect === "hidden" || isWaiting || NEVER_SENT.has(status)
    ? "refused"
    : "failed";
}

const NEVER_SENT: ReadonlySet<string> = new Set([
  "refused",
  "ERR_POLICY_DENIED",
  "ERR_APPROVAL_REQUIRED",
  "ERR_TOOL_NOT_FOUND",
  "ERR_TOOL_UNAVAILABLE",
  "ERR_INVALID_ARGUMENTS",
  "ERR_LIMIT_REACHED",
]);

function isWrite(record: AuditRecord): boolean {
  return record.tool?.access === "write" || record.tool?.access === "destructive";
}

/** US dollars of one record: a tool's price, or what a model took. */
function costOf(record: AuditRecord, usdPerMillionTokens: number): number {
  if (record.cost !== undefined) return record.cost;
  return reportedTokens(record) * usdPerMillionTokens / 1_000_000;
}

function reportedTokens(record: AuditRecord): number {
  if (record.kind !== "admin" || record.detail?.type !== "usage") return 0;
  return numberIn(record, "inputTokens") + numberIn(record, "outputTokens");
}

function numberIn(record: AuditRecord, name: string): number {
  const value = record.detail?.[name];
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

function followTask(task: Task, record: AuditRecord, cost: number): void {
  task.costUsd += cost;
  task.waitHumanMs += record.ms?.waitHuman ?? 0;
  if (record.tool !== undefined) task.tools.add(toolName(record.tool));
  if (record.kind === "admin") {
    if (record.detail?.type === "feedback") task.success = record.detail.success === true;
    const tokens = reportedTokens(record);
    if (tokens > 0) task.modelTokens = (task.modelTokens ?? 0) + tokens;
    return;
  }
  task.gatewayTokens += numberIn(record, "tokensReturned") + numberIn(record, "codeTokens");
  if (record.execution === undefined) return;
  const known = task.executions.find(({ id }) => id === record.execution);
  if (record.kind === "execution.start" && known === undefined) {
    task.executions.push({ id: record.execution, status: null, endMs: 0, calls: 0 });
  }
  if (known === undefined) return;
  if (record.kind === "call.outcome") known.calls++;
  if (record.kind === "execution.end") {
    // A rehearsal is not a try.
    if (record.detail?.dryRun === true) task.executions.splice(task.executions.indexOf(known), 1);
    known.status = record.result?.status ?? "unknown";
    known.endMs = Date.parse(record.ts);
  }
}

function keysOfRecord(
  record: AuditRecord,
  by: UsageDimension,
  task: Task | null,
): readonly string[] {
  switch (by) {
    case "principal":
      return [record.actor?.sub ?? NONE];
    case "client":
      return [record.actor?.client ?? NONE];
    case "space":
      return [record.space ?? task?.space ?? NONE];
    case "group":
      return groupsOf(record.actor?.groups);
    case "tool":
      return record.tool === undefined ? [NONE] : [toolName(record.tool)];
    case "day":
      return [];
  }
}

function keysOfTask(task: Task, by: UsageDimension): readonly string[] {
  switch (by) {
    case "principal":
      return [task.principal || NONE];
    case "client":
      return [task.client || NONE];
    case "space":
      return [task.space || NONE];
    case "group":
      return groupsOf(task.groups);
    case "tool":
      return task.tools.size === 0 ? [NONE] : [...task.tools];
    case "day":
      return [];
  }
}

/** Who is in several groups counts in each: rows of groups may add up to more than the total. */
function groupsOf(groups: readonly string[] | undefined): readonly string[] {
  return groups === undefined || groups.length === 0 ? [NONE] : groups;
}

function renderRow(key: string, tally: Tally, tasks: readonly Task[]): UsageRow {
  const withExecution = tasks.filter((task) => task.executions.length > 0);
  const outcomes = withExecution.map(outcomeOf);
  const completed = outcomes.filter(({ outcome }) => outcome === "success");
  const multiHop = withExecution.filter(isMultiHop);
  const finished = withExecution.map(finishMs).filter((finish) => finish !== null);
  const gatewayTokens = sum(tasks.map((task) => task.gatewayTokens));
  const reported = tasks.map((task) => task.modelTokens).filter((tokens) => tokens !== null);
  const taskCost = sum(tasks.map((task) => task.costUsd));
  const { callMs, ...sums } = tally;
  return {
    key,
    ...sums,
    tasks: tasks.length,
    completedTasks: completed.length,
    completedExplicit: completed.filter(({ explicit }) => explicit).length,
    firstTrySuccess: ratio(withExecution.filter(isFirstTrySuccess).length, withExecution.length),
    firstTrySuccessMultiHop: ratio(multiHop.filter(isFirstTrySuccess).length, multiHop.length),
    gatewayTokens,
    tokensPerCompletedTask: ratio(gatewayTokens, completed.length),
    modelTokens: reported.length === 0 ? null : sum(reported),
    costPerSuccessUsd: ratio(tally.costUsd, tally.successfulWrites),
    costPerCompletedTaskUsd: ratio(taskCost, completed.length),
    finishMsP50: percentile(finished.map(({ wall }) => wall), 0.5),
    finishMsP95: percentile(finished.map(({ wall }) => wall), 0.95),
    activeMsP50: percentile(finished.map(({ active }) => active), 0.5),
    activeMsP95: percentile(finished.map(({ active }) => active), 0.95),
    callMsP50: callMs.percentile(0.5),
    callMsP95: callMs.percentile(0.95),
  };
}

function compareRows(a: UsageRow, b: UsageRow): number {
  return b.costUsd - a.costUsd || b.calls - a.calls || b.searches - a.searches ||
    (a.key < b.key ? -1 : 1);
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

/** The smallest value that at least that share of all is not above (nearest rank). */
function percentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
