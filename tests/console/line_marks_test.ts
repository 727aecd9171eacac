import assert from "node:assert/strict";
import type { TimelineCall } from "../../src/console/execution_timeline.ts";
import { callLinesOf, markLines } from "../../src/console/line_marks.ts";

function marksOf(
  code: readonly string[],
  calls: readonly [tool: string, effect: TimelineCall["effect"]][],
  more: { readonly errorLine?: number; readonly truncated?: boolean } = {},
) {
  const made = calls.map(([tool, effect], index) => {
    const [server = "", name = ""] = tool.split(".");
    return { index, server, name, effect } as TimelineCall;
  });
  const marks = markLines(
    { calls: made, errorLine: null, truncated: false, ...more },
    callLinesOf(code.join("\n")),
  );
  return [...marks].map(([line, { tone, label }]) => `${line} ${tone} ${label}`).toSorted();
}

Deno.test("a line is marked with how many calls it made and what became of the worst", () => {
  assert.deepEqual(
    marksOf(["const a = await tools.crm.get({});", "await tools.pay.refund({});"], [
      ["crm.get", "allow"],
      ["crm.get", "allow"],
      ["pay.refund", "refused"],
    ]),
    ["1 allow 2 calls", "2 refused 1 call: refused"],
  );
  assert.deepEqual(
    marksOf(["for (;;) await tools.crm.get({});"], [
      ["crm.get", "allow"],
      ["crm.get", "failed"],
      ["crm.get", "running"],
    ]),
    ["1 failed 3 calls: 1 failed, 1 allow, 1 running"],
  );
});

Deno.test("lines whose tool was not called are not marked, nor any of several that may have called", () => {
  assert.deepEqual(
    marksOf(["await tools.crm.get({});", "await tools.crm.put({});", "tools.crm.get({});"], [
      ["crm.get", "allow"],
    ]),
    [],
  );
  assert.deepEqual(
    marksOf(["await tools.crm.get({});", "await tools.crm.put({});"], [["crm.get", "allow"]]),
    ["1 allow 1 call"],
  );
});

Deno.test("comments and strings mark nothing, and a program that passes tools around has no marks", () => {
  const called: readonly [string, "allow"][] = [["crm.get", "allow"]];
  for (const other of ["// tools.crm.get", "/* tools.crm.get */", "'tools.crm.get'"]) {
    assert.deepEqual(marksOf([other, "await tools.crm.get({});"], called), ["2 allow 1 call"]);
  }
  for (
    const other of [
      "const { crm } = tools;",
      "const t = tools.crm; t.get();",
      "tools[server].get();",
      "`${tools.crm.get({})}`",
      "use(tools)",
    ]
  ) {
    assert.deepEqual(marksOf([other, "if (false) await tools.crm.get({});"], called), [], other);
  }
  assert.deepEqual(marksOf(["mytools.x; a.tools.y;", "tools.crm.get({});"], called), [
    "2 allow 1 call",
  ]);
});

Deno.test("the line that failed is marked as that, with the calls it made", () => {
  const code = ["await tools.crm.get({});", "throw new Error()"];
  assert.deepEqual(marksOf(code, [["crm.get", "deny"]], { errorLine: 1 }), [
    "1 error error, 1 call: deny",
  ]);
  assert.deepEqual(marksOf(code, [["crm.get", "allow"]], { errorLine: 2, truncated: true }), [
    "1 allow at least 1 call",
    "2 error error",
  ]);
});
