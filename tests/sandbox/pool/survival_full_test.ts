import assert from "node:assert/strict";
import { ISOLATIONS } from "../../../src/sandbox/host/host_settings.ts";
import { hostCommand, runCode, withPool } from "../open_pool.ts";

/** `[what one program leaves, what the next must not see]`, both of the same principal. */
const TRACES: { readonly [name: string]: readonly [leave: string, look: string, seen: string] } = {
  "a global": ["globalThis.leak = 1; return 1", "return typeof leak", '"undefined"'],
  "a changed prototype": [
    "Object.prototype.leak = 1; Array.prototype.map = () => 'leak'; return 1",
    "return [({}).leak ?? null, [1].map((x) => x)]",
    "[null,[1]]",
  ],
  "a replaced intrinsic": [
    "JSON.stringify = () => 'leak'; Math.max = () => 7; Date.now = () => 7; return 1",
    "return [JSON.stringify(1), Math.max(1, 2), Date.now() > 1e12]",
    '["1",2,true]',
  ],
  "a regular expression's memory": ["/(leak)/.exec('leak'); return 1", "return RegExp.$1", '""'],
  "a symbol with a value": [
    "globalThis[Symbol.for('leak')] = 1; return 1",
    "return Symbol.for('leak') in globalThis",
    "false",
  ],
  "a class on a lazy global": [
    "URL.leak = 1; crypto; globalThis.crypto = 7; return 1",
    "return [URL.leak === undefined, typeof crypto.randomUUID]",
    '[true,"function"]',
  ],
  "a console group and counter": [
    "console.group('g'); console.count('c'); return 1",
    "console.count('c'); return 1",
    "1",
  ],
  "a promise that never settles": ["new Promise(() => {}); return 1", "return 1", "1"],
  "a property of tools": [
    "tools.math.add.leak; try { tools.leak = 1 } catch {} return 1",
    "return 'leak' in tools",
    "false",
  ],
  "a module-level variable": [
    "var leak = 1; function leakFunction() {} return 1",
    "return [typeof leak, typeof leakFunction]",
    '["undefined","undefined"]',
  ],
};

for (const isolation of ISOLATIONS) {
  Deno.test(`nothing survives an execution at level ${isolation}`, async () => {
    await withPool({ isolation, warm: 1, workersPerHost: 8 }, async (pool) => {
      for (const [name, [leave, look, seen]] of Object.entries(TRACES)) {
        assert.equal((await runCode(pool, leave)).status, "ok", name);
        const outcome = await runCode(pool, look);
        assert.equal(outcome.resultJson, seen, `${name}: ${outcome.error?.message}`);
        if (name.startsWith("a console")) {
          assert.deepEqual(outcome.logs, [{ level: "log", text: "c: 1" }]);
        }
      }
    });
  });

  Deno.test(`a timer or answer of an ended execution reaches nobody at level ${isolation}`, async () => {
    await withPool({ isolation, warm: 1, workersPerHost: 8 }, async (pool) => {
      const answer = Promise.withResolvers<{ ok: true; json: string }>();
      const first = await runCode(
        pool,
        "setTimeout(() => { console.log('late'); tools.late.call() }, 20); tools.late.answer(); return 1",
        { onCall: () => answer.promise },
      );
      assert.equal(first.resultJson, "1");
      const calls: string[] = [];
      const second = runCode(pool, "await sleep(60); return await tools.own.call()", {
        onCall: (call) => {
          calls.push(`${call.server}.${call.tool}`);
          return Promise.resolve({ ok: true, json: '"own"' });
        },
      });
      answer.resolve({ ok: true, json: '"late"' });
      const outcome = await second;
      assert.equal(outcome.resultJson, '"own"');
      assert.deepEqual([outcome.logs, calls], [[], ["own.call"]]);
    });
  });
}

Deno.test("a realm host keeps little memory of a hundred programs", async () => {
  let started = 0;
  await withPool({
    isolation: "realm",
    warm: 0,
    hostCommand: (settings) => {
      if (!settings.prime) started++;
      return hostCommand(settings);
    },
  }, async (pool) => {
    for (let turn = 0; turn < 100; turn++) {
      const outcome = await runCode(
        pool,
        "globalThis.kept = Array.from({ length: 1e5 }, (_, i) => i); return kept.length",
      );
      assert.equal(outcome.resultJson, "100000");
    }
    assert.ok(started <= 3, `${started} hosts`);
  });
});
