/** The protocol's own conformance suite, from npm, in a folder of its own. */
import assert from "node:assert/strict";
import { join } from "node:path";

const PACKAGE = "@modelcontextprotocol/conformance@0.2.0-alpha.12";
const NODE_MAJOR_MIN = 22;
const RUN_MS_MAX = 90_000;

/** How a scenario went. */
export interface ScenarioResult {
  /** Ids of the checks that failed. */
  readonly failed: readonly string[];
  readonly passed: number;
}

export type Results = ReadonlyMap<string, ScenarioResult>;

export interface Suite {
  /** Every server scenario that a revision of the protocol requires, against one address. */
  runServer(url: string, revision: string): Promise<Results>;
  /** One client scenario. @param command to which the suite adds the address of its server. */
  runClient(command: string, scenario: string): Promise<ScenarioResult>;
}

/** Installs the suite, hands it over and removes it. */
export async function withSuite(use: (suite: Suite) => Promise<void>): Promise<void> {
  await needNode();
  const folder = await Deno.makeTempDir({ prefix: "toolgate-conformance-" });
  try {
    const flags = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", folder];
    await run("npm", ["install", ...flags, PACKAGE], { mustSucceed: true });
    const program = join(folder, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
    await use({
      async runServer(url, revision) {
        const out = join(folder, crypto.randomUUID());
        const args = [program, "server", "--url", url, "--requirements", revision, "-o", out];
        await run("node", args, { mustSucceed: false });
        return await readResults(out, "server-");
      },
      async runClient(command, scenario) {
        const out = join(folder, crypto.randomUUID());
        const args = [program, "client", "--command", command, "--scenario", scenario, "-o", out];
        await run("node", args, { mustSucceed: false });
        const [result, ...others] = (await readResults(out, "")).values();
        assert.ok(result !== undefined && others.length === 0, `one result of ${scenario}`);
        return result;
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function needNode(): Promise<void> {
  const version = await run("node", ["--version"], { mustSucceed: true });
  const major = Number(/^v(\d+)/.exec(version)?.[1]);
  assert.ok(
    major >= NODE_MAJOR_MIN,
    `Node ${NODE_MAJOR_MIN} must be first on PATH, not ${version}`,
  );
}

async function run(
  command: string,
  args: readonly string[],
  options: { readonly mustSucceed: boolean },
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    signal: AbortSignal.timeout(RUN_MS_MAX),
  }).output();
  const text = new TextDecoder().decode(stdout);
  // The suite ends with 1 for any failed check; what is expected is ours to say.
  assert.ok(success || !options.mustSucceed, `${command}: ${new TextDecoder().decode(stderr)}`);
  return text;
}

/** Reads `<prefix><scenario>-<time>/checks.json` below a folder. */
async function readResults(folder: string, prefix: string): Promise<Results> {
  const results = new Map<string, ScenarioResult>();
  for await (const { name } of walk(folder)) {
    const scenario = name.slice(prefix.length).replace(/-\d{4}-\d\d-\d\dT.*$/, "");
    const checks: { id: string; status: string }[] = JSON.parse(
      await Deno.readTextFile(join(folder, name, "checks.json")),
    );
    const ids = (status: string) =>
      checks.filter((check) => check.status === status).map(({ id }) => id);
    results.set(scenario, {
      failed: [...new Set(ids("FAILURE"))].sort(),
      passed: ids("SUCCESS").length,
    });
  }
  return results;
}

async function* walk(folder: string): AsyncGenerator<Deno.DirEntry> {
  for await (const entry of Deno.readDir(folder)) if (entry.isDirectory) yield entry;
}
