/** The whole search: everything that a program can reach, in every state that it can bring about. */
import assert from "node:assert/strict";
import type { Isolation } from "../../src/sandbox/host/host_settings.ts";
import { withPool } from "../sandbox/open_pool.ts";
import { bundleHost, changedHostCommand } from "./fixtures/changed_host.ts";
import {
  FRAME_SIZES,
  MUTATIONS,
  renderGraphWalk,
  renderMutationWalk,
  renderPoisonWalk,
  renderStackWalk,
} from "./reachable_walk.ts";
import { runWalks, WALK_LIMITS } from "./run_walks.ts";

const STACK_PARTS = 4;
/** Names that the engine or the runtime could look up. */
const LOOKED_UP = /Error$|^(Promise|Symbol|Object|Function|globalThis|Proxy|Reflect|console|URL)$/;

/** At the default level every global in turn, at the others the ones that are most likely looked up. */
function walksFor(isolation: Isolation): [string, string][] {
  const whole = isolation === "worker";
  const part = isolation === "realm" ? 0 : 1;
  return [
    ["graph", renderGraphWalk()],
    ["poison", renderPoisonWalk()],
    ...MUTATIONS.map((mutation): [string, string] => [
      mutation,
      renderMutationWalk(mutation, whole ? /./ : LOOKED_UP),
    ]),
    ...Array.from({ length: whole ? STACK_PARTS : 1 }, (_, index): [string, string] => [
      `stack, part ${index}`,
      renderStackWalk(FRAME_SIZES, whole ? index : part, STACK_PARTS),
    ]),
  ];
}

/** What is between a program and the Worker is the same code at all levels. */
const FORMS: readonly { isolation: Isolation; jitless: boolean }[] = [
  { isolation: "worker", jitless: true },
  { isolation: "worker", jitless: false },
  { isolation: "realm", jitless: true },
  { isolation: "process", jitless: false },
];
for (const { isolation, jitless } of FORMS) {
  const mode = jitless ? "interpreted" : "with machine code";
  Deno.test(`the whole search meets no object of another realm at level ${isolation}, ${mode}`, async () => {
    await withPool({ isolation, jitless, limits: WALK_LIMITS }, async (pool) => {
      const report = await runWalks(pool, walksFor(isolation));
      assert.deepEqual(report.problems, []);
      assert.ok(report.visited > 30_000 && report.thrown > 20_000, JSON.stringify(report));
    });
  });
}

Deno.test("the search finds what each part of the boundary holds back", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const bundle = await bundleHost(folder);
    const open = [
      // Names that can be replaced.
      [["index < fixed.length", "index < 0"], renderMutationWalk("assign", /^Error$/)],
      [["index < fixed.length", "index < 0"], renderMutationWalk("getter", /^Error$/)],
      [["index < fixed.length", "index < 0"], renderMutationWalk("delete", /^Error$/)],
      // Functions of the Worker without the wrapper.
      [
        ["parts.wrapHost(p, host, needHostStack)", "host"],
        renderStackWalk(FRAME_SIZES, 0, STACK_PARTS),
      ],
    ] as const;
    for (const [change, walk] of open) {
      const hostCommand = changedHostCommand(folder, bundle, [change]);
      await withPool({ isolation: "worker", limits: WALK_LIMITS, hostCommand }, async (pool) => {
        const { problems } = await runWalks(pool, [["open", walk]]);
        assert.ok(problems.length > 0, String(change));
        assert.ok(problems.every((problem) => !/ERR_/.test(problem)), problems.join("\n"));
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
