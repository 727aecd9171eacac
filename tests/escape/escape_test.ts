import assert from "node:assert/strict";
import { ISOLATIONS } from "../../src/sandbox/host_settings.ts";
import { runCode, withPool } from "../sandbox/open_pool.ts";
import { judge, readPrograms } from "./escape_programs.ts";
import { ESCAPE_LIMITS, openCanaries, runCorpus } from "./run_corpus.ts";

const OWN = readPrograms(new URL("./programs", import.meta.url).pathname);
const DATA = Deno.env.get("TOOLGATE_DATA") ??
  new URL("../../../shared/data", import.meta.url).pathname;
/** More of the same classes, kept outside of the project; empty where they are not at hand. */
const MORE = readPrograms(`${DATA}/escapes`);
/** The whole corpus with machine code, or (the default) interpreted with a sample of the other. */
const JIT = Deno.env.get("TOOLGATE_TEST_JIT") === "1";

for (const isolation of ISOLATIONS) {
  Deno.test(`every escape program is held at level ${isolation}`, async () => {
    assert.ok(OWN.length >= 200);
    const canaries = openCanaries();
    await withPool(
      { isolation, limits: ESCAPE_LIMITS, warm: 2, hostsMax: 6, workersPerHost: 4, jitless: !JIT },
      async (pool) => {
        const failures = await runCorpus(pool, [...OWN, ...MORE], { parallel: 3, principals: 3 });
        assert.deepEqual(failures, []);
        assert.equal((await runCode(pool, "return 1")).resultJson, "1");
      },
    );
    assert.deepEqual(canaries.touched(), []);
    await canaries.close();
  });
}

Deno.test("a sample of the escape programs is held in the other mode of the engine", async () => {
  const sample = [...OWN, ...MORE].filter((_, index) => index % 8 === 0);
  await withPool(
    {
      isolation: "worker",
      limits: ESCAPE_LIMITS,
      warm: 1,
      hostsMax: 4,
      workersPerHost: 4,
      jitless: JIT,
    },
    async (pool) => {
      const failures = await runCorpus(pool, sample, { parallel: 2, principals: 2 });
      assert.deepEqual(failures, []);
    },
  );
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
