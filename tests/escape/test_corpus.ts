import assert from "node:assert/strict";
import type { Isolation } from "../../src/sandbox/host/host_settings.ts";
import { runCode, withPool } from "../sandbox/open_pool.ts";
import { readPrograms } from "./escape_programs.ts";
import { aimAtCanaries, ESCAPE_LIMITS, openCanaries, runCorpus } from "./run_corpus.ts";

const OWN = readPrograms(new URL("./programs", import.meta.url).pathname);
const DATA = Deno.env.get("TOOLGATE_DATA") ??
  new URL("../../../shared/data", import.meta.url).pathname;
/** More of the same classes, kept outside of the project; empty where they are not at hand. */
const MORE = readPrograms(`${DATA}/escapes`);
/** The whole corpus runs interpreted; with machine code an eighth of it, and all of it in `test:soak`. */
const MACHINE_CODE_STEP = Deno.env.get("TOOLGATE_SOAK") === "1" ? 1 : 8;

/** Registers the tests of the whole corpus at one level; a file for each level, so that they run beside each other. */
export function testCorpus(isolation: Isolation): void {
  Deno.test(`every escape program is held at level ${isolation}`, async () => {
    assert.ok(OWN.length >= 200);
    const canaries = openCanaries();
    const programs = aimAtCanaries([...OWN, ...MORE], canaries.port);
    await withPool(
      { isolation, limits: ESCAPE_LIMITS, warm: 2, hostsMax: 6, workersPerHost: 4, jitless: true },
      async (pool) => {
        const failures = await runCorpus(pool, programs, { parallel: 3, principals: 3 });
        assert.deepEqual(failures, []);
        assert.equal((await runCode(pool, "return 1")).resultJson, "1");
      },
    );
    assert.deepEqual(canaries.touched(), []);
    await canaries.close();
  });

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
