/** What the second line holds at level `realm` when a program has got hold of the Worker's own objects. */
import assert from "node:assert/strict";
import { runCode, withPool } from "../sandbox/open_pool.ts";
import { bundleHost, changedHostCommand, LEAK, NO_FREEZE } from "./fixtures/changed_host.ts";
import { ESCAPE_LIMITS } from "./run_corpus.ts";

const THIEF = Deno.readTextFileSync(new URL("./fixtures/thief.txt", import.meta.url));
const NEXT = `enum Letter { A, B }
  const secret = "my own private words";
  console.log("a line");
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(2));
  setTimeout(() => {}, 1); await sleep(2);
  return [secret.length, Letter.B, digest.byteLength, new URL("/b", "http://a").href, await tools.math.add({ a: 1, b: 2 })];`;
const NEXT_RESULT = '[20,1,32,"http://a/b",3]';

/** Replaces methods that reading and stripping a program could use, and what they are methods of. */
const METHOD_THIEF = `declare const W: any; let set = 0;
  const swap = (text: any) => { if (typeof text === "string" && text.includes("own private words")) { return '[{"text":"(async () => ({ ESCAPED: 1 }))","edits":[],"lines":1}]'; } return text; };
  const own = Reflect.ownKeys, apply = Reflect.apply;
  for (const owner of [W.JSON, W.Math, W.Object, W.Reflect, W.String.prototype, W.Array.prototype, W.Map.prototype, W.Set.prototype, W.RegExp.prototype, W.Number, W.String, W.Promise.prototype, Object.getPrototypeOf(W.Uint8Array.prototype)]) {
    for (const key of own(owner)) {
      if (key === "constructor" || typeof Object.getOwnPropertyDescriptor(owner, key)?.value !== "function") continue;
      const original = owner[key];
      try { owner[key] = function (this: any, ...args: any[]) { return apply(original, swap(this), args.map(swap)); }; set++; } catch { /* held */ }
    }
  }
  for (const name of ["JSON", "Map", "Set", "Uint8Array", "String", "Number", "Array"]) { try { W[name] = new Proxy(W[name], { get: () => undefined, construct: () => ({}), apply: () => "" }); set++; } catch { /* held */ } }
  return set > 100;`;

async function withHosts(
  use: (
    run: (changes: readonly (readonly [string, string])[], jitless: boolean) => Promise<string[]>,
    programs: string[],
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const programs: string[] = [];
  try {
    const bundle = await bundleHost(folder);
    await use(async (changes, jitless) => {
      const results: string[] = [];
      const hostCommand = changedHostCommand(folder, bundle, changes);
      await withPool(
        { isolation: "realm", hostsMax: 1, limits: ESCAPE_LIMITS, hostCommand, jitless },
        async (pool) => {
          for (const code of programs) {
            const { resultJson, error } = await runCode(pool, code);
            results.push(resultJson ?? error?.code ?? "");
          }
        },
      );
      return results;
    }, programs);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a program that has the Worker's global object changes nothing for the next one", async () => {
  await withHosts(async (run, programs) => {
    programs.push(THIEF, NEXT, NEXT);
    for (const jitless of [true, false]) {
      const [thief, ...next] = await run([LEAK], jitless);
      const { reached, listeners, changed } = JSON.parse(thief!);
      assert.ok(reached > 500 && listeners >= 5, thief);
      assert.equal(changed, 0);
      assert.deepEqual(next, [NEXT_RESULT, NEXT_RESULT]);
    }
    // Without the frozen objects the same program does not stay without effect.
    const [thief] = await run([LEAK, NO_FREEZE], true);
    assert.doesNotMatch(thief!, /"changed":0/);
  });
});

Deno.test("the Worker reads a program with methods that it took before the first one", async () => {
  await withHosts(async (run, programs) => {
    programs.push(METHOD_THIEF, NEXT);
    assert.deepEqual(await run([LEAK, NO_FREEZE], true), ["true", NEXT_RESULT]);
  });
});
