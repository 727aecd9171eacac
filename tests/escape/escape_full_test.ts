import assert from "node:assert/strict";
import { ISOLATIONS } from "../../src/sandbox/host/host_settings.ts";
import { runCode, withPool } from "../sandbox/open_pool.ts";
import { readPrograms } from "./escape_programs.ts";
import { ESCAPE_LIMITS, openCanaries, runCorpus } from "./run_corpus.ts";

const OWN = readPrograms(new URL("./programs", import.meta.url).pathname);
const DATA = Deno.env.get("TOOLGATE_DATA") ??
  new URL("../../../shared/data", import.meta.url).pathname;
/** More of the same classes, kept outside of the project; empty where they are not at hand. */
const MORE = readPrograms(`${DATA}/escapes`);
/** The whole corpus runs interpreted; with machine code an eighth of it, and all of it in `test:soak`. */
const MACHINE_CODE_STEP = Deno.env.get("TOOLGATE_SOAK") === "1" ? 1 : 8;

for (const isolation of ISOLATIONS) {
  Deno.test(`every escape program is held at level ${isolation}`, async () => {
    assert.ok(OWN.length >= 200);
    const canaries = openCanaries();
    await withPool(
      { isolation, limits: ESCAPE_LIMITS, warm: 2, hostsMax: 6, workersPerHost: 4, jitless: true },
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

for (const isolation of ISOLATIONS) {
  Deno.test(`escape programs are held with machine code at level ${isolation}`, async () => {
    const programs = [...OWN, ...MORE].filter((_, index) => index % MACHINE_CODE_STEP === 0);
    await withPool(
      { isolation, limits: ESCAPE_LIMITS, warm: 1, hostsMax: 4, workersPerHost: 4, jitless: false },
      async (pool) => {
        const failures = await runCorpus(pool, programs, { parallel: 2, principals: 2 });
        assert.deepEqual(failures, []);
      },
    );
  });
}
