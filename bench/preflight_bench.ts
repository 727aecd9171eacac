/**
 * Time of the preflight check: a program of 30 lines that names five tools out of 2,500, declarations
 * included. Uses the public catalog of Cloudflare's operations if its folder is there, else a
 * generated one.
 *
 * Run: deno run -A bench/preflight_bench.ts [programs]
 */
import { declareTools } from "../src/catalog/declare.ts";
import { openChecker } from "../src/checker/checker.ts";
import { createCheckerCommand } from "../src/checker/checker_command.ts";
import { mentionedTools } from "../src/checker/mentions.ts";
import type { Tool } from "../src/model/tool.ts";
import { denoCacheDir } from "../src/sandbox/host/host_command.ts";
import { toolOf } from "../tests/catalog/tool_fixture.ts";
import { sampleOf } from "../tests/checker/sample_arguments.ts";
import { dataFolder, type DataTool, readData } from "../tests/search/data_folder.ts";
import { snapshotOf } from "../tests/search/data_snapshot.ts";

const TOOLS_PER_PROGRAM = 5;
const count = Number(Deno.args[0] ?? 300);
const catalog = await loadCatalog();
const command = createCheckerCommand({
  executable: Deno.execPath(),
  standalone: false,
  program: new URL("../src/checker/process/checker_host.ts", import.meta.url).href,
  cacheDir: denoCacheDir((name) => Deno.env.get(name)),
});
const checker = openChecker({ command, log: () => {} });

console.log(`${catalog.size} tools`);
const programs = Array.from({ length: count }, (_, index) => makeProgram(pick(index)));
const lines = programs.map((code) => code.split("\n").length);
console.log(`${count} programs of ${Math.min(...lines)} to ${Math.max(...lines)} lines`);

await measure("first (starts the process)", programs.slice(0, 1));
const before = await lookAtChild();
await measure("other tools each time", programs);
await measure("same tools, edited program", programs.map((_, edit) => `${programs[1]}// ${edit}`));
await measure("same program", programs.map(() => programs[2] ?? ""));
await measure("with a mistake", programs.map((code) => code.replace("await ", "")));
const after = await lookAtChild();
const cpuMs = (after.cpuSeconds - before.cpuSeconds) * 1_000 / (4 * count);
console.log(
  `process: ${after.residentMb.toFixed(0)} MB resident, ${cpuMs.toFixed(1)} ms CPU a check`,
);
await checker.close();

async function measure(name: string, codes: readonly string[]): Promise<void> {
  const times: number[] = [];
  let findings = 0;
  let unchecked = 0;
  let declared = 0;
  for (const code of codes) {
    const start = performance.now();
    const declarations = declarationsFor(code);
    const report = await checker.check(code, declarations);
    times.push(performance.now() - start);
    findings += report.findings.length;
    if (report.status === "unchecked") unchecked++;
    declared += declarations.length;
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor((times.length - 1) * share)] ?? 0).toFixed(1);
  const kilobytes = (declared / codes.length / 1024).toFixed(1);
  console.log(
    `${name.padEnd(28)} p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms; ` +
      `${kilobytes} KB declared, ${findings} findings, ${unchecked} unchecked`,
  );
}

async function loadCatalog(): Promise<ReadonlyMap<string, Tool>> {
  const folder = dataFolder();
  if (folder === null) return generatedCatalog();
  const list = await readData<DataTool[]>(folder, "search/cloudflare/tools.json.gz");
  return snapshotOf(list).snapshot.tools;
}

function generatedCatalog(): ReadonlyMap<string, Tool> {
  const field = (index: number) => ({ type: index % 3 === 0 ? "number" : "string" });
  const fields = (from: number, size: number) =>
    Object.fromEntries(Array.from({ length: size }, (_, n) => [`field${from + n}`, field(n)]));
  const tools = Array.from(
    { length: 2_500 },
    (_, index) =>
      toolOf(`server${index % 25}`, `tool_${index}`, {
        properties: fields(index, 8),
        outputSchema: {
          type: "object",
          properties: {
            items: { type: "array", items: { type: "object", properties: fields(0, 12) } },
          },
          required: ["items"],
        },
      }),
  );
  return new Map(tools.map((tool) => [tool.id, tool]));
}

function pick(index: number): Tool[] {
  const tools = [...catalog.values()];
  return Array.from(
    { length: TOOLS_PER_PROGRAM },
    (_, n) => tools[(index * 7_919 + n * 1_301) % tools.length],
  ).filter((tool) => tool !== undefined);
}

/** Six lines around each call. */
function makeProgram(tools: readonly Tool[]): string {
  const parts = tools.map((tool, index) =>
    `const answer${index} = await tools.${tool.id}(${
      JSON.stringify(sampleOf(tool.inputSchema, false))
    });
const list${index} = Array.isArray(answer${index}) ? answer${index} : [answer${index}];
const texts${index} = list${index}.map((item) => JSON.stringify(item)).filter((text) => text.length > 2);
const counts${index} = new Map<string, number>();
for (const text of texts${index}) counts${index}.set(text, (counts${index}.get(text) ?? 0) + 1);
console.log("step", ${index}, texts${index}.length, [...counts${index}.values()].reduce((a, b) => a + b, 0));`
  );
  const names = tools.map((_, index) => `counts${index}: counts${index}.size`).join(", ");
  return `${parts.join("\n")}\nreturn { ${names} };`;
}

function declarationsFor(code: string): string {
  return declareTools(mentionedTools(code).flatMap((name) => catalog.get(name) ?? []));
}

/** Resident memory and total CPU time of this process's only child. */
async function lookAtChild(): Promise<{ residentMb: number; cpuSeconds: number }> {
  const { stdout } = await new Deno.Command("ps", {
    args: ["-o", "rss=,cputimes=,args=", "--ppid", String(Deno.pid)],
  }).output();
  const line = new TextDecoder().decode(stdout).split("\n").find((text) => /checker/.test(text));
  const [kilobytes = 0, cpuSeconds = 0] = (line ?? "").trim().split(/\s+/).map(Number);
  return { residentMb: kilobytes / 1024, cpuSeconds };
}
