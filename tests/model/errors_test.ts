import assert from "node:assert/strict";
import { ERROR_PAGE, errorPage } from "../../scripts/error_page.ts";
import { GateError, reportError } from "../../src/model/errors.ts";

Deno.test("docs/errors.md says what the table of codes says", async () => {
  const words = (text: string) => text.split(/\s+/).join(" ").trim();
  const page = await Deno.readTextFile(ERROR_PAGE);
  assert.equal(words(page), words(errorPage()), 'run "deno task docs"');
});

Deno.test("reportError() gives nothing away of an error that is not for the reader", () => {
  const report = reportError(new Error("password=hunter2 at /etc/shadow"));
  assert.equal(report.code, "ERR_INTERNAL");
  assert.doesNotMatch(JSON.stringify(report), /hunter2|shadow/);
  const { code, message, hint, tool, retryAfterMs } = reportError(
    new GateError("ERR_BUSY", "Cannot run", {
      hint: "Wait",
      tool: "a.b",
      retryAfterMs: 5,
      cause: new Error("inner"),
    }),
  );
  assert.deepEqual({ code, message, hint, tool, retryAfterMs }, {
    code: "ERR_BUSY",
    message: "Cannot run",
    hint: "Wait",
    tool: "a.b",
    retryAfterMs: 5,
  });
});
