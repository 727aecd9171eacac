import { resolve } from "node:path";
import type { ExecutionResult } from "../../model/execution.ts";
import type { Command, CommandContext, Output } from "../command.ts";
import { exitCodeOfExecution } from "../exit_code.ts";
import { usageError } from "../usage_error.ts";

export const runProgramCommand: Command = {
  name: "run",
  summary: "Run a program in the sandbox, as agents do with the MCP tool execute",
  positionals: "FILE|-",
  count: [1, 1],
  options: {
    space: { value: "S", about: "Space whose tools the program sees" },
    "dry-run": { about: "Run reads only, list the writes that would have run" },
    timeout: { value: "MS", about: "Stop the program after this many milliseconds" },
  },
  examples: [
    "toolgate run program.ts",
    `echo 'return await tools.orders.list({ since: "2026-04-01" })' | toolgate run -`,
    "toolgate run program.ts --dry-run --json",
  ],
  async run(context) {
    const body = {
      code: await readProgram(context),
      dryRun: context.flag("dry-run") || undefined,
      timeoutMs: context.integer("timeout", 1, 3_600_000),
      space: context.text("space"),
    };
    const client = await context.connect();
    const execution = await client.call("POST /execute", { body });
    if (context.json) context.output.json(execution);
    else printExecution(context.output, execution);
    return exitCodeOfExecution(execution.status);
  },
};

async function readProgram(context: CommandContext): Promise<string> {
  const [file = "-"] = context.positionals;
  if (file === "-") return await context.deps.readStdin();
  try {
    return await context.deps.readTextFile(resolve(context.deps.cwd(), file));
  } catch {
    throw usageError(`Cannot read the program "${file}"`, "Name a readable file, or - for stdin");
  }
}

function printExecution(output: Output, execution: ExecutionResult): void {
  for (const { level, text } of execution.logs) {
    output.note(level === "log" ? text : `[${level}] ${text}`);
  }
  for (const { line, column, message } of execution.warnings ?? []) {
    output.note(`warning at ${line}:${column}: ${message}`);
  }
  if (execution.result !== undefined) {
    output.result(JSON.stringify(execution.result, null, 2));
  }
  for (const { tool, args } of execution.planned ?? []) {
    output.note(`planned: ${tool}(${JSON.stringify(args)})`);
  }
  const { error, approval, handle, recordPending, calls, usage } = execution;
  if (error !== undefined) {
    const place = error.line === undefined ? "" : ` at line ${error.line}:${error.column ?? 1}`;
    const hint = error.hint === "" ? "" : `\n  ${error.hint}`;
    output.note(`${error.name}${place}: ${error.message} (${error.code})${hint}`);
  }
  if (approval !== undefined) {
    output.note(
      `Waits for approval ${approval.id} until ${approval.expiresAt}: ${approval.summary}\n` +
        `  ${approval.url}`,
    );
  }
  if (recordPending !== undefined) output.note(recordPending);
  if (handle !== undefined) output.note(`Result of ${handle.bytes} bytes kept at ${handle.uri}`);
  output.note(
    `${execution.status}, ${calls.length} ${calls.length === 1 ? "call" : "calls"}, ` +
      `${Math.round(usage.wallMs)} ms, execution ${execution.executionId}`,
  );
}
