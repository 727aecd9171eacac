import { GateError } from "../model/errors.ts";
import type { AuditEvent, AuditRecord } from "../model/event.ts";
import type { AuditLog } from "./audit_log.ts";
import { type CutText, programOf } from "./payloads/payload_box.ts";

/** One call as it was recorded, in the order in which the program made them. */
export interface RecordedCall {
  readonly index: number;
  /** Names as the upstream spells them; an empty server for calls that the gate itself answers. */
  readonly server: string;
  readonly tool: string;
  readonly effect: string | null;
  /** JSON text of the arguments; null when the log does not keep it (any more). */
  readonly args: string | null;
  /** Set for a refused call whose arguments were too large to keep; then `args` is null. */
  readonly cutArgs: CutText | null;
  /** The salted hash of the arguments in the chain; null when there is none. */
  readonly argsCommit: string | null;
  /** `ok`, or the error code; null while the call runs. */
  readonly status: string | null;
  /** JSON text of the tool's value; null for a failure, or when it is not kept (any more). */
  readonly result: string | null;
  readonly error: RecordedError | null;
  /** Time from the start until the program got the outcome; null if not recorded. */
  readonly atMs: number | null;
  /** Position among the outcomes, in the order in which the program got them. */
  readonly completion: number | null;
}

export type RecordedError = NonNullable<AuditEvent["err"]>;

/** The settings that a program ran with. */
export interface RecordedSettings {
  /** Clock and randomness of the program; null if it had the real ones. */
  readonly seed: { readonly epochMs: number; readonly random: string } | null;
  readonly timeoutMs: number | null;
  readonly dryRun: boolean;
}

export interface RecordedExecution {
  readonly id: string;
  /** Start of the execution, milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly space: string | null;
  readonly actor: AuditEvent["actor"] | null;
  /** Source of the program; null when the log does not keep it (any more). */
  readonly code: string | null;
  readonly codeSha256: string | null;
  readonly settings: RecordedSettings;
  readonly calls: readonly RecordedCall[];
  /** How it ended; null while it runs. */
  readonly outcome: {
    readonly status: string;
    /** JSON text of the program's result; null without a result. */
    readonly result: string | null;
    readonly error: RecordedError | null;
    readonly totalMs: number | null;
  } | null;
  /** Things that a replay needs and the log lacks, one sentence each. */
  readonly missing: readonly string[];
}

const RECORDS_MAX = 50_000;

/**
 * Rebuilds one execution from its records and their payloads.
 *
 * @throws {GateError} `ERR_NOT_FOUND` if the log has no such execution.
 */
export async function loadExecution(
  log: Pick<AuditLog, "query" | "payloads">,
  id: string,
): Promise<RecordedExecution> {
  const records = await readExecution(log, id);
  const start = records.find(({ kind }) => kind === "execution.start");
  if (start === undefined) {
    throw new GateError("ERR_NOT_FOUND", `The audit log has no execution "${id.slice(0, 100)}"`, {
      hint: 'List executions with "toolgate audit list --kind execution.start".',
    });
  }
  const missing: string[] = [];
  const kept = await log.payloads(start);
  const codeText = kept?.code ?? null;
  if (codeText === null) missing.push("The program is not kept any more");
  const calls = await readCalls(log, records, missing);
  const end = records.findLast(({ kind }) => kind === "execution.end");
  return {
    id,
    startedAtMs: Date.parse(start.ts),
    space: start.space ?? null,
    actor: start.actor ?? null,
    code: codeText === null ? null : programOf(codeText),
    codeSha256: start.code?.sha256 ?? null,
    settings: readSettings(kept?.args),
    calls,
    outcome: end === undefined ? null : {
      status: end.result?.status ?? "unknown",
      result: await resultOf(log, end, "The result of the program", missing),
      error: end.err ?? null,
      totalMs: end.ms?.total ?? null,
    },
    missing,
  };
}

/** Oldest first. */
async function readExecution(
  log: Pick<AuditLog, "query">,
  execution: string,
): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  let after: string | undefined;
  do {
    const page = await log.query({
      execution,
      limit: 10_000,
      ...(after === undefined ? {} : { after }),
    });
    records.push(...page.records);
    after = page.next;
  } while (after !== undefined && records.length < RECORDS_MAX);
  return records.reverse();
}

async function readCalls(
  log: Pick<AuditLog, "payloads">,
  records: readonly AuditRecord[],
  missing: string[],
): Promise<RecordedCall[]> {
  const outcomes = records.filter(isOutcome);
  const byCall = Map.groupBy(
    records.filter((record) => record.kind === "call.intent" || isOutcome(record)),
    ({ call }) => call,
  );
  const calls: RecordedCall[] = [];
  for (const [call, ofCall] of byCall) {
    const index = indexOf(call);
    const tool = ofCall.map(toolOf).find((found) => found !== null);
    if (index === null || tool === undefined) continue;
    const outcome = ofCall.findLast(isOutcome);
    const begun = ofCall.find((record) => record.args !== undefined);
    const kept = begun === undefined ? null : await log.payloads(begun);
    const args = kept?.args ?? null;
    const cutArgs = kept?.cutArgs ?? null;
    const name = `${tool.server}.${tool.name} (call ${index})`;
    if (begun !== undefined && args === null && cutArgs === null) {
      missing.push(`The arguments of ${name} are not kept`);
    }
    calls.push({
      index,
      server: tool.server,
      tool: tool.name,
      effect: ofCall.find((record) => record.decision)?.decision?.effect ?? null,
      args,
      cutArgs,
      argsCommit: begun?.args?.commit ?? null,
      status: outcome?.result?.status ?? null,
      result: outcome === undefined
        ? null
        : await resultOf(log, outcome, `The result of ${name}`, missing),
      error: outcome?.err ?? null,
      atMs: outcome?.ms?.at ?? null,
      completion: outcome === undefined ? null : outcomes.indexOf(outcome),
    });
  }
  return calls.sort((a, b) => a.index - b.index);
}

/** The gate answers a program's own search, so one record is both its start and its outcome. */
function isOutcome({ kind, call }: AuditRecord): boolean {
  return kind === "call.outcome" || (kind === "search" && call !== undefined);
}

function toolOf({ kind, tool, detail }: AuditRecord): { server: string; name: string } | null {
  if (tool !== undefined) return tool;
  return kind === "search" ? { server: "", name: String(detail?.tool ?? "$search") } : null;
}

function readSettings(text: string | undefined): RecordedSettings {
  const parsed: unknown = text === undefined ? null : JSON.parse(text);
  const { seed = null, timeoutMs = null, dryRun = false } = parsed as RecordedSettings ?? {};
  return { seed, timeoutMs, dryRun };
}

/** The kept result of a successful record. */
async function resultOf(
  log: Pick<AuditLog, "payloads">,
  record: AuditRecord,
  name: string,
  missing: string[],
): Promise<string | null> {
  if (record.result?.commit === undefined) return null;
  const result = (await log.payloads(record))?.result ?? null;
  if (result === null) missing.push(`${name} is not kept`);
  return result;
}

/** The number in `<execution>:<number>`. */
function indexOf(call: string | undefined): number | null {
  const match = /:(\d{1,9})$/.exec(call ?? "");
  return match === null ? null : Number(match[1]);
}
