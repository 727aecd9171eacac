import assert from "node:assert/strict";
import { runPolicyTests } from "../../src/policy/check/policy_tests.ts";
import { compileCondition } from "../../src/policy/condition/condition.ts";
import { parsePolicy } from "../../src/policy/file/parse_policy.ts";
import { compilePolicy } from "../../src/policy/policy.ts";
import { makeTool } from "./sample_tools.ts";

const page = await Deno.readTextFile(new URL("../../docs/policy.md", import.meta.url));

function blocks(language: string): { text: string; line: number }[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map((match) => ({
    text: match[1] ?? "",
    line: page.slice(0, match.index).split("\n").length,
  }));
}

/** Every tool that the page names, with open schemas. */
const tools = [
  ...["pay.refund", "pay.get_refund", "mail.send", "github.get_repo", "github.create_issue"],
  ...["github.list_issues", "github.delete_repo", "web.fetch", "mix.fetch_page", "mix.sum"],
].map((id) => makeTool(id.split(".")[0] ?? "", id.split(".")[1] ?? ""));

Deno.test("every policy of docs/policy.md loads, fits its tools and passes its tests", () => {
  const found = blocks("yaml");
  assert.ok(found.length >= 7);
  let tests = 0;
  for (const { text, line } of found) {
    const whole = text.startsWith("version:") ? text : `version: 1\nname: docs\n${text}`;
    const document = parsePolicy([{ path: `docs/policy.md:${line}`, text: whole }]);
    const { policy, problems } = compilePolicy(document, tools);
    assert.deepEqual(problems.filter(({ severity }) => severity === "error"), []);
    const report = runPolicyTests(policy, tools);
    assert.deepEqual(report.failures.map(({ message }) => message), []);
    tests += report.total;
  }
  assert.ok(tests >= 15);
});

Deno.test("every condition of docs/policy.md compiles, and every function it lists exists", () => {
  const conditions = blocks("cel").flatMap(({ text }) => text.trim().split("\n"));
  assert.ok(conditions.length >= 8);
  for (const when of conditions) {
    const compiled = compileCondition(when);
    assert.ok(compiled.ok, compiled.ok ? "" : `${when}: ${compiled.message}`);
  }
  const methods = /\| texts +\| `([^`]+)`/.exec(page)?.[1]?.split(" ") ?? [];
  assert.ok(methods.length >= 10);
  for (const method of methods) {
    const args = ["trim", "size", "lower", "upper"].includes(method)
      ? ""
      : method === "substring"
      ? "1"
      : '"x"';
    const compiled = compileCondition(`has(args.t) && args.t.${method}(${args}) == args.t`);
    assert.ok(compiled.ok, compiled.ok ? "" : `${method}: ${compiled.message}`);
  }
  const macros = /\| lists +\| `([^`]+)`/.exec(page)?.[1]?.split(" ") ?? [];
  assert.ok(macros.length >= 5);
  for (const macro of macros.filter((name) => name !== "size")) {
    assert.ok(compileCondition(`args.l.${macro}(x, x == x) == args.y`).ok, macro);
  }
});
