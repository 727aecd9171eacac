import assert from "node:assert/strict";
import type { PolicyProblem } from "../../src/policy/file/policy_error.ts";
import {
  checkPolicy,
  explainCall,
  reloadPolicy,
  showPolicy,
  testPolicy,
} from "../../src/operations/policy.ts";
import type { GateQuestion } from "../../src/supervisor/call/explain_gate.ts";
import { catalogParts, shopPolicy } from "./catalog_parts.ts";

const STATUS = {
  source: "policy.yaml",
  name: "shop",
  digest: "in force",
  since: "2026-04-01T00:00:00.000Z",
  problems: ["of the policy in force"],
  rejected: "line 3",
};

Deno.test("showPolicy() gives the policy in force with its spaces and limits", () => {
  const policy = { current: () => shopPolicy(), status: () => STATUS };
  assert.deepEqual(showPolicy({ policy }), { ...STATUS, spaces: ["default", "till"], limits: [] });
});

function checkDeps(problems: readonly PolicyProblem[], listedAt: number | null) {
  const waited: string[] = [];
  return {
    waited,
    deps: {
      catalog: () => (waited.push("catalog"), Promise.resolve()),
      servers: () => catalogParts().servers().slice(0, 1).map((one) => ({ ...one, listedAt })),
      policy: {
        status: () => STATUS,
        check:
          () => (waited.push("check"), Promise.resolve({ name: "next", digest: "d2", problems })),
        reload: () => (waited.push("reload"), Promise.resolve(STATUS)),
        test: () => (waited.push("test"), Promise.resolve({ total: 1, passed: 1, failures: [] })),
      },
    },
  };
}

const PROBLEM: PolicyProblem = {
  path: "policy.yaml",
  line: 4,
  severity: "error",
  kind: "pattern",
  message: "matches no tool",
  near: null,
};

Deno.test("checkPolicy() tells the files from the policy in force", async () => {
  const checked = await checkPolicy(checkDeps([], 1).deps);
  assert.deepEqual([checked.name, checked.digest, checked.ok], ["next", "d2", true]);
  assert.deepEqual(checked.inForce, { name: "shop", digest: "in force", since: STATUS.since });
  assert.deepEqual(checked.problems, []);
  assert.equal(checked.rejected, "line 3");
});

Deno.test("checkPolicy() is not ok with an error, and each problem has the line that people read", async () => {
  const { ok, problems } = await checkPolicy(checkDeps([PROBLEM], 1).deps);
  assert.equal(ok, false);
  assert.match(problems[0]?.text ?? "", /policy\.yaml:4.*matches no tool/);
  const warning = { ...PROBLEM, severity: "warning" as const };
  assert.equal((await checkPolicy(checkDeps([warning], 1).deps)).ok, true);
});

Deno.test("checkPolicy() warns of a server that has listed nothing, so that nothing was checked", async () => {
  const { ok, problems } = await checkPolicy(checkDeps([], null).deps);
  assert.equal(ok, true);
  assert.deepEqual(problems.map(({ severity, server }) => [severity, server]), [[
    "warning",
    "shop",
  ]]);
  assert.match(problems[0]?.message ?? "", /does not answer/);
});

Deno.test("check, reload and tests wait for the catalog first", async () => {
  const { deps, waited } = checkDeps([], 1);
  await checkPolicy(deps);
  await reloadPolicy(deps);
  assert.equal((await testPolicy(deps)).passed, 1);
  assert.deepEqual(waited, ["catalog", "check", "catalog", "reload", "catalog", "test"]);
});

Deno.test("explainCall() asks the gate in the default space, and of no execution, unless they are named", async () => {
  const questions: GateQuestion[] = [];
  const explain = (question: GateQuestion) => {
    questions.push(question);
    return Promise.reject(new Error("no answer is needed"));
  };
  const exec = { tainted: true, sources: ["mail"] };
  const asked = { as: { sub: "ada" }, call: "shop.pay", args: { amount: 1 } };
  await assert.rejects(explainCall({ explain }, { ...asked, exec }), /no answer/);
  const named = { space: "till", execution: "e1", issuer: "keys" };
  await assert.rejects(explainCall({ explain }, { ...asked, exec, ...named }), /no answer/);
  assert.deepEqual(questions, [
    { ...asked, execution: exec, space: "default" },
    { ...asked, execution: exec, space: "till", issuer: "keys", executionId: "e1" },
  ]);
});
