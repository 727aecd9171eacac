import { isDeepStrictEqual } from "node:util";
import { withApp } from "../fakes/app.ts";
import { serveRecorded } from "./recorded_tools.ts";
import { STYLES, taskProgram, taskResults } from "./task_program.ts";
import type { SchemaSet, TaskSet } from "./task_sets.ts";

export type Isolation = "process" | "worker" | "realm";

export interface TaskReport {
  readonly tasks: number;
  readonly calls: number;
  /** Tasks whose results are those that were recorded, and whose calls were all made, once each. */
  readonly equal: number;
  readonly warnings: number;
  /** Programs whose check was not finished in time, as happens on a busy machine. */
  readonly unchecked: number;
  /** What is wrong, one line for each task. */
  readonly failures: readonly string[];
}

const FAILURES_MAX = 20;
const UNCHECKED = "The program ran unchecked";

/** Runs every task of a set as a program over the whole service, at one level of isolation. */
export async function runTasks(set: TaskSet, isolation: Isolation): Promise<TaskReport> {
  await using servers = serveRecorded(set.servers);
  const names = Object.keys(set.servers);
  const mcpServers = Object.fromEntries(names.map((name) => [name, { url: servers.urlOf(name) }]));
  const config = { policies: "open", sandbox: { warm: 2, isolation }, mcpServers };
  let equal = 0;
  let warnings = 0;
  let unchecked = 0;
  let calls = 0;
  const failures: string[] = [];
  await withApp(config, async ({ execute }) => {
    for (const [index, task] of set.tasks.entries()) {
      servers.begin(task.calls);
      const style = STYLES[index % STYLES.length] ?? "sequence";
      const answer = await execute(taskProgram(set, task, style));
      calls += answer.calls.length;
      const told = (answer.warnings ?? []).map(({ message }) => message);
      const findings = told.filter((message) => !message.startsWith(UNCHECKED));
      warnings += findings.length;
      unchecked += told.length - findings.length;
      const wrong = [
        ...answer.status === "ok" ? [] : [`${answer.status}: ${answer.error?.message}`],
        ...isDeepStrictEqual(answer.result, taskResults(task)) ? [] : ["another result"],
        ...servers.leftOver(),
        ...findings.map((message) => `warning: ${message}`),
        ...answer.logs.map(({ text }) => `log: ${text}`),
      ];
      if (wrong.length === 0) equal++;
      else if (failures.length < FAILURES_MAX) failures.push(`${task.id} (${style}) ${wrong[0]}`);
    }
  });
  return { tasks: set.tasks.length, calls, equal, warnings, unchecked, failures };
}

export interface SchemaReport {
  readonly schemas: number;
  readonly listed: number;
  readonly accepted: number;
  /** Calls that the gate refused, with why. */
  readonly refused: readonly { readonly id: string; readonly message: string }[];
  /** Calls that the check of the program has something against. */
  readonly flagged: readonly string[];
}

const CALLS_PER_PROGRAM = 20;
const SERVER = "bfcl";

/** Lists every schema, makes the call that belongs to it, and says what gate and check think of it. */
export async function runSchemas({ tools, calls }: SchemaSet): Promise<SchemaReport> {
  await using servers = serveRecorded({ [SERVER]: tools });
  const mcpServers = { [SERVER]: { url: servers.urlOf(SERVER) } };
  const refused: { id: string; message: string }[] = [];
  const flagged: string[] = [];
  let accepted = 0;
  let listed = 0;
  await withApp({ policies: "open", mcpServers }, async ({ execute }) => {
    const names = await execute(`return Object.keys(tools.${SERVER}).length;`);
    listed = Number(names.result);
    for (let from = 0; from < calls.length; from += CALLS_PER_PROGRAM) {
      const batch = calls.slice(from, from + CALLS_PER_PROGRAM);
      servers.begin(batch.map((call) => ({ ...call, server: SERVER, result: call.id })));
      const { result, warnings, error } = await execute(schemaProgram(batch));
      if (!Array.isArray(result)) throw new Error(`The program failed: ${error?.message}`);
      for (const [index, { id }] of batch.entries()) {
        const outcome = result[index] as { readonly value?: unknown; readonly reason?: string };
        if (outcome.value === id) accepted++;
        else refused.push({ id, message: outcome.reason ?? "another result" });
        const line = index + 2;
        if (warnings?.some((warning) => warning.line === line)) flagged.push(id);
      }
      const elsewhere = warnings?.find(({ line }) => line < 2 || line > batch.length + 1);
      if (elsewhere !== undefined) throw new Error(`A warning of no call: ${elsewhere.message}`);
    }
  });
  return { schemas: tools.length, listed, accepted, refused, flagged };
}

/** One call a line, from the second on. */
function schemaProgram(calls: SchemaSet["calls"]): string {
  const lines = calls.map(({ tool, args }) =>
    `  tools.${SERVER}[${JSON.stringify(tool)}](${JSON.stringify(args)}),`
  );
  return [
    "const settled = await Promise.allSettled([",
    ...lines,
    "]);",
    "return settled.map(({ value, reason }) => ({ value, reason: reason?.message }));",
  ].join("\n");
}
