/**
 * Runs the corpus in the naive form, to show that it bites. Each program gets a service process of its
 * own with bounded memory, which is killed after a few seconds.
 *
 *     deno run --allow-read --allow-run --allow-env tests/escape/naive_form.ts [name part]
 */
import { type EscapeProgram, readPrograms } from "./escape_programs.ts";

const SERVICE = new URL("./fixtures/naive_service.ts", import.meta.url).pathname;
const KILL_AFTER_MS = 5_000;
const DATA_KIB_MAX = 1_500_000;
const PARALLEL = 2;

/** What the naive form lost to a program; null if it held. */
export async function attackNaiveForm(program: EscapeProgram): Promise<string | null> {
  const deno = [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--no-check",
    "--unstable-worker-options",
    "--allow-read",
    "--allow-net=127.0.0.1",
    "--v8-flags=--max-old-space-size=256",
    SERVICE,
  ];
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", `ulimit -d ${DATA_KIB_MAX}; ulimit -c 0; exec "$@"`, "sh", ...deno],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const killer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program.code)).catch(() => {});
  await writer.close().catch(() => {});
  const output = await child.output();
  clearTimeout(killer);
  const stdout = new TextDecoder().decode(output.stdout);
  const line = stdout.split("\n").find((text) => text.startsWith("NAIVE "));
  if (line === undefined) return `the service died (${output.signal ?? output.code})`;
  const { text, burntMs } = JSON.parse(line.slice(6)) as { text: string; burntMs: number };
  if (burntMs > 150) return `a core burns on after the end (${Math.round(burntMs)} of 300 ms)`;
  if (/ESCAPED(?!\?)/.test(text)) return `it got out: ${text.slice(0, 100)}`;
  if (stdout.includes("FORGED")) return "it wrote to the service's output";
  return null;
}

if (import.meta.main) {
  const programs = readPrograms(new URL("./programs", import.meta.url).pathname)
    .filter((program) => program.expect !== "ok" && program.name.includes(Deno.args[0] ?? ""));
  const lost: string[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: PARALLEL }, async () => {
    while (next < programs.length) {
      const program = programs[next++]!;
      const problem = await attackNaiveForm(program);
      if (problem === null) continue;
      lost.push(program.name);
      console.log(`${program.name.padEnd(32)} ${problem}`);
    }
  }));
  console.log(`The naive form loses ${lost.length} of ${programs.length} programs`);
  Deno.exit(lost.length >= 15 ? 0 : 1);
}
