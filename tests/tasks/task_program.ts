import type { RecordedCall } from "./recorded_tools.ts";
import type { RecordedTask, TaskSet } from "./task_sets.ts";

/** Ways in which models write the same task. */
export const STYLES = ["sequence", "parallel", "main"] as const;
export type Style = typeof STYLES[number];

/**
 * A program that makes the calls of a task and returns their results in order.
 *
 * `sequence`: one call a line. `parallel`: neighbouring reads at once, writes in order. `main`: a helper and
 * a function that nothing calls, in a Markdown fence.
 */
export function taskProgram(set: TaskSet, task: RecordedTask, style: Style): string {
  const lines = style === "parallel" ? parallelLines(set, task) : sequenceLines(task);
  if (style !== "main") return lines.join("\n");
  return [
    "```ts",
    "async function collect(...results: unknown[]) {",
    "  return results;",
    "}",
    "",
    "async function main() {",
    ...lines.map((line) => `  ${line.replace(/^return \[(.*)\];$/, "return await collect($1);")}`),
    "}",
    "```",
  ].join("\n");
}

/** The results that the program has to return: JSON texts are given as values. */
export function taskResults(task: RecordedTask): unknown[] {
  return task.calls.map(({ result, error }) => {
    if (error !== undefined) return error;
    if (typeof result !== "string" || !/^\s*[[{]/.test(result)) return result;
    try {
      return JSON.parse(result);
    } catch {
      return result;
    }
  });
}

function sequenceLines(task: RecordedTask): string[] {
  const names = task.calls.map((_, index) => `r${index}`);
  return [
    ...task.calls.map((call, index) => `const r${index} = await ${callText(call)};`),
    `return [${names.join(", ")}];`,
  ];
}

function parallelLines(set: TaskSet, task: RecordedTask): string[] {
  const lines = ["const results = [];"];
  const isRead = ({ server, tool }: RecordedCall) =>
    set.servers[server]?.find(({ name }) => name === tool)?.readOnly === true;
  for (let from = 0; from < task.calls.length;) {
    let to = from;
    while (to < task.calls.length && isRead(task.calls[to] as RecordedCall)) to++;
    if (to - from < 2) {
      lines.push(`results.push(await ${callText(task.calls[from] as RecordedCall)});`);
      from++;
      continue;
    }
    const calls = task.calls.slice(from, to).map((call) => `  ${callText(call)},`);
    lines.push("results.push(...await Promise.all([", ...calls, "]));");
    from = to;
  }
  return [...lines, "return results;"];
}

function callText({ server, tool, args, error }: RecordedCall): string {
  const call = `tools.${server}.${tool}(${JSON.stringify(args)})`;
  return error === undefined ? call : `${call}.catch((error) => error.message)`;
}
