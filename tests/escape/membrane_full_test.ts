import assert from "node:assert/strict";
import type { Isolation } from "../../src/sandbox/host/host_settings.ts";
import { callTestTool, runCode, withPool } from "../sandbox/open_pool.ts";
import { readPrograms } from "./escape_programs.ts";
import { ESCAPE_LIMITS, runCorpus } from "./run_corpus.ts";

/** What was once found to get an object of the Worker, or to look like a broken host. */
const NAMES = [
  "e_global_prototype_watch",
  "e_has_instance_watch",
  "e_lazy_part_where_stack_ends",
  "e_prepare_by_global_name",
  "e_prepare_reaches_worker",
  "e_stack_ends_in_host_function",
  "e_stack_text_where_stack_ends",
  "e_then_and_species_watch",
  "f_call_in_call_arguments",
  "f_call_where_stack_ends",
  "g_own_errors",
];
const PROGRAMS = readPrograms(new URL("./programs", import.meta.url).pathname)
  .filter(({ name }) => NAMES.includes(name));

/** Both modes of the engine and all levels; every pair is in the full tier. */
const FORMS: readonly { isolation: Isolation; jitless: boolean }[] = [
  { isolation: "realm", jitless: true },
  { isolation: "worker", jitless: false },
  { isolation: "process", jitless: true },
];

for (const { isolation, jitless } of FORMS) {
  const mode = jitless ? "interpreted" : "with machine code";
  Deno.test(`no object of the Worker reaches a program at level ${isolation}, ${mode}`, async () => {
    assert.equal(PROGRAMS.length, NAMES.length);
    await withPool(
      { isolation, jitless, limits: ESCAPE_LIMITS, workersPerHost: 6 },
      async (pool) => {
        assert.deepEqual(await runCorpus(pool, PROGRAMS, { parallel: 1, principals: 1 }), []);
      },
    );
  });
}

Deno.test("a call that is refused where the stack ends is not made, one that is made is answered", async () => {
  // Frames of many sizes, so that for some of them the stack ends inside the call's first lines.
  const frame = (size: number) => {
    const names = Array.from({ length: size }, (_, index) => `v${index}`);
    return `() => {
      let ${[...names.map((name) => `${name} = 1`), "depth = 0"].join(", ")};
      try { depth = frames[${size}](); } catch (error) { look(error); }
      if (depth < 40) { try { act(); } catch (error) { look(error); } }
      return depth + 1 + (${["0", ...names].join(" + ")}) * 0;
    }`;
  };
  const program = `
    let odd = ""; const kept: any[] = new Array(4000); let used = 0;
    const look = (error: any) => { if (!(error instanceof RangeError)) odd ||= String(error); };
    const act = () => { kept[used] = tools.math.add({ a: 1, b: 2 }); used++; };
    const frames: (() => number)[] = [${Array.from({ length: 13 }, (_, size) => frame(size))}];
    for (const go of frames) go();
    let answered = 0;
    for (const settled of await Promise.allSettled(kept.slice(0, used))) {
      if (settled.status === "rejected") look(settled.reason);
      else answered++;
    }
    return { odd, answered, refused: used - answered };`;
  const limits = { ...ESCAPE_LIMITS, toolCallsMax: 1_000 };
  let refused = 0;
  for (const { isolation, jitless } of FORMS) {
    await withPool({ isolation, jitless, limits }, async (pool) => {
      let made = 0;
      const outcome = await runCode(pool, program, {
        limits,
        onCall: (call) => (made++, callTestTool(call)),
      });
      const result = JSON.parse(outcome.resultJson ?? "null");
      assert.equal(result.odd, "");
      assert.equal(result.answered, made);
      assert.ok(made > 0 && made < limits.toolCallsMax);
      refused += result.refused;
    });
  }
  assert.ok(refused > 0, "no frame was of the size for which the stack ends there");
});

Deno.test("a program at level realm does not read or replace the next one", async () => {
  const thief = `
    const real = Error; let root: any = null, scope: any = null;
    const take = (_: any, sites: any) => { root ??= Object.getPrototypeOf(Object.getPrototypeOf(sites[0])); return ""; };
    try { (globalThis as any).Error = { prepareStackTrace: take }; } catch {}
    try { (null as any).x; } catch (error: any) { void error.stack; }
    try { (globalThis as any).Error = real; } catch {}
    const deep = () => { try { deep(); } catch (error) { if (!(error instanceof real)) root ??= Object.getPrototypeOf(Object.getPrototypeOf(Object.getPrototypeOf(error))); } try { crypto.randomUUID(); } catch (error) { if (!(error instanceof real)) root ??= Object.getPrototypeOf(Object.getPrototypeOf(Object.getPrototypeOf(error))); } };
    for (let round = 0; round < 5; round++) deep();
    root ??= Object.prototype;
    try { Object.defineProperty(root, "nodeType", { configurable: true, get(this: any) { scope ??= this; return undefined; } }); } catch {}
    await tools.math.add({ a: 1, b: 2 });
    const json = (scope ?? globalThis).JSON; const parse = json.parse;
    json.parse = (text: string) => {
      const forms = parse(text);
      if (forms?.[0]?.text) forms.splice(0, 9, { ...forms[0], text: "(async () => ({ ESCAPED: " + JSON.stringify(forms[0].text) + " }))" });
      return forms;
    };
    return "set";`;
  await withPool({ isolation: "realm", limits: ESCAPE_LIMITS }, async (pool) => {
    assert.equal((await runCode(pool, thief)).resultJson, '"set"');
    const next = await runCode(pool, 'const secret = "my own private words"; return secret.length');
    assert.equal(next.resultJson, "20");
  });
});
