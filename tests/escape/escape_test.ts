import assert from "node:assert/strict";
import { ISOLATIONS } from "../../src/sandbox/host/host_settings.ts";
import { withPool } from "../sandbox/open_pool.ts";
import { judge, readPrograms } from "./escape_programs.ts";
import { ESCAPE_LIMITS, runCorpus } from "./run_corpus.ts";

/** `test:full` runs the whole corpus at every level: `escape_realm_full_test.ts` and its neighbours. */
const SAMPLE_STEP = 16;

Deno.test("a sample of the escape programs is held at level worker", async () => {
  const programs = readPrograms(new URL("./programs", import.meta.url).pathname);
  assert.ok(programs.length >= 200);
  const sample = programs.filter((_, index) => index % SAMPLE_STEP === 0);
  await withPool(
    { isolation: "worker", limits: ESCAPE_LIMITS, warm: 1, hostsMax: 4, workersPerHost: 4 },
    async (pool) => {
      const failures = await runCorpus(pool, sample, { parallel: 2, principals: 2 });
      assert.deepEqual(failures, []);
    },
  );
});

Deno.test("the full tier has the whole corpus at every level", () => {
  for (const isolation of ISOLATIONS) {
    const file = new URL(`./escape_${isolation}_full_test.ts`, import.meta.url);
    assert.match(Deno.readTextFileSync(file), new RegExp(`^testCorpus\\("${isolation}"\\)`, "m"));
  }
});

Deno.test("judge() fails what an escape or a bare crash would look like", () => {
  const program = { name: "x", expect: "block", codes: [], value: null, code: "" } as const;
  const outcome = {
    status: "ok",
    resultJson: '"ESCAPED 1"',
    oversize: null,
    logs: [],
    error: null,
    callCount: 0,
    wallMs: 0,
    cpuMs: 0,
  } as const;
  assert.match(judge(program, outcome)!, /got out/);
  const crash = { code: "ERR_SANDBOX_CRASH", name: "E", message: "", hint: "" } as const;
  assert.match(judge(program, { ...outcome, resultJson: null, error: crash })!, /CRASH/);
  assert.match(
    judge({ ...program, expect: "kill" }, { ...outcome, resultJson: "1" })!,
    /ended with ""/,
  );
});
