/**
 * Shows what each layer of the sandbox stops: runs the escape corpus at level `worker` with one
 * layer off at a time, then with several. Prints the table of docs/threat-model.md: `deno run -A
 * bench/ablation_bench.ts`.
 *
 * The product cannot switch its layers off. The bench bundles the host and edits the text of the
 * bundle; an edit that does not match anything is an error.
 */
import {
  type HostSettings,
  KERNEL_ON,
  type KernelSettings,
} from "../src/sandbox/host/host_settings.ts";
import { openSandboxPool } from "../src/sandbox/pool/sandbox_pool.ts";
import type { SandboxOutcome } from "../src/sandbox/run/outcome.ts";
import { type EscapeProgram, readPrograms } from "../tests/escape/escape_programs.ts";
import {
  bundleHost,
  changedHostCommand,
  NO_FREEZE,
} from "../tests/escape/fixtures/changed_host.ts";
import { ESCAPE_LIMITS, runCorpus } from "../tests/escape/run_corpus.ts";

type Change = readonly [from: string, to: string];

interface Ablation {
  readonly name: string;
  readonly changes: readonly Change[];
  readonly kernel?: Partial<KernelSettings>;
  /** Removes or adds flags of the host. */
  readonly flags?: (args: readonly string[]) => string[];
}

const NO_REALM: readonly Change[] = [
  ["partsScript.runInContext(context)", "partsScript.runInThisContext()"],
  ["}).runInContext(realm.context)", "}).runInThisContext()"],
  ["p.setPrototypeOf(global, p.Object.prototype);", ""],
  ["delete global[removed[index]];", ";"],
  // Without a realm the program would run among the frozen objects of the Worker.
  NO_FREEZE,
];
const NO_WRAPPER: readonly Change[] = [
  ["parts.wrapHost(p, host, needHostStack)", "host"],
];
const NO_SCRUB: readonly Change[] = [["\n  deps.scrubGlobals();\n", "\n"]];
const NO_HOOKS: readonly Change[] = [["deps.registerHooks({", "(() => {})({"]];
const NO_REVOKE: readonly Change[] = [
  ["  revokePermissions();\n", ""],
  ['permissions: "none"', 'permissions: "inherit"'],
];
const CODE_FROM_TEXT: readonly Change[] = [["strings: false", "strings: true"]];
const noCodeFlag = (args: readonly string[]) =>
  args.map((arg) => arg.replace(",--disallow-code-generation-from-strings", ""));
/** Everything except the network beyond this machine, which a measurement must not touch. */
const ALL_BUT_FAR_HOSTS = [
  ...["env", "ffi", "import", "read", "run", "sys", "write"].map((name) => `--allow-${name}`),
  "--allow-net=127.0.0.1,0.0.0.0,localhost",
];
const allPermissions = (args: readonly string[]) =>
  noCodeFlag(args).filter((arg) => !/^--(deny-import|no-remote|no-npm|allow-ffi)$/.test(arg))
    .toSpliced(1, 0, ...ALL_BUT_FAR_HOSTS);

const ABLATIONS: readonly Ablation[] = [
  { name: "nothing (all layers on)", changes: [] },
  { name: "1 realm", changes: NO_REALM },
  { name: "1 wrapper", changes: NO_WRAPPER },
  { name: "1 realm's ban on code from text, and V8's", changes: CODE_FROM_TEXT, flags: noCodeFlag },
  { name: "2 scrubbed globals", changes: [...NO_SCRUB, NO_FREEZE] },
  { name: "2 frozen Worker", changes: [NO_FREEZE] },
  { name: "2 import hooks", changes: NO_HOOKS },
  { name: "3 V8's ban on code from text", changes: [], flags: noCodeFlag },
  { name: "3 permissions (all granted, none revoked)", changes: NO_REVOKE, flags: allPermissions },
  { name: "4 Landlock", changes: [], kernel: { landlock: false } },
  { name: "4 seccomp", changes: [], kernel: { seccomp: false } },
  { name: "4 resource limits", changes: [], kernel: { rlimits: false } },
  { name: "4 kernel layer", changes: [], kernel: { enabled: false } },
  { name: "1 + 2", changes: [...NO_REALM, ...NO_SCRUB, ...NO_HOOKS], flags: noCodeFlag },
  {
    name: "1 + 2 + 3: process and kernel alone",
    changes: [...NO_REALM, ...NO_SCRUB, ...NO_HOOKS, ...NO_REVOKE],
    flags: allPermissions,
  },
  {
    name: "1 + 2 + 3 + 4: process alone",
    changes: [...NO_REALM, ...NO_SCRUB, ...NO_HOOKS, ...NO_REVOKE],
    flags: allPermissions,
    kernel: { enabled: false },
  },
];

interface AblationRow {
  readonly name: string;
  /** Programs that reached something forbidden. */
  readonly out: string[];
  /** Programs that were stopped, but with another outcome than expected. */
  readonly other: string[];
  readonly bystander: boolean;
}

async function runAblation(
  ablation: Ablation,
  bundle: string,
  folder: string,
  programs: readonly EscapeProgram[],
): Promise<AblationRow> {
  const command = changedHostCommand(folder, bundle, ablation.changes);
  const pool = await openSandboxPool({
    isolation: "worker",
    workersPerHost: 4,
    warm: 2,
    hostsMax: 6,
    queueMax: 64,
    require: [],
    limits: ESCAPE_LIMITS,
    kernel: { ...KERNEL_ON, ...ablation.kernel },
    log: (level, message) => console.error(level, message),
    hostCommand: (settings: HostSettings) => {
      const made = command(settings);
      return { ...made, args: ablation.flags?.(made.args) ?? made.args };
    },
  });
  const failures = await runCorpus(pool, programs, { parallel: 3, principals: 3 });
  const last = await runBystander(pool.run);
  await pool.close();
  const out = failures.filter((line) => line.includes("it got out"));
  return {
    name: ablation.name,
    out: out.map(nameOf),
    other: failures.filter((line) => !out.includes(line)).map(nameOf),
    bystander: last.resultJson === "1",
  };
}

function runBystander(
  run: Awaited<ReturnType<typeof openSandboxPool>>["run"],
): Promise<SandboxOutcome> {
  return run(
    {
      principalKey: "bystander",
      session: null,
      code: "return 1",
      limits: ESCAPE_LIMITS,
      names: null,
      seed: null,
    },
    () => Promise.reject(new Error("no calls")),
    new AbortController().signal,
  );
}

const nameOf = (line: string) => line.slice(0, line.indexOf(":"));

function renderRow(row: AblationRow, total: number): string {
  const show = (names: readonly string[]) =>
    names.length === 0 ? "" : ` (${names.slice(0, 6).join(", ")}${names.length > 6 ? ", …" : ""})`;
  return `| ${row.name} | ${row.out.length} of ${total}${show(row.out)} | ${row.other.length}${
    show(row.other)
  } | ${row.bystander ? "unharmed" : "HARMED"} |`;
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir();
  const bundle = await bundleHost(folder);
  const programs = readPrograms(new URL("../tests/escape/programs", import.meta.url).pathname);
  Deno.env.set("CANARY_ENV", "canary-env-value");
  console.log(
    "| switched off | got out | ended otherwise | service and others |\n| --- | --- | --- | --- |",
  );
  for (const ablation of ABLATIONS) {
    if (!ablation.name.includes(Deno.args[0] ?? "")) continue;
    console.log(renderRow(await runAblation(ablation, bundle, folder, programs), programs.length));
  }
  await Deno.remove(folder, { recursive: true });
  Deno.exit(0);
}
