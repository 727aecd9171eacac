/** What the check of a program does to its run, in each mode, over the whole service. */
import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { withApp } from "../fakes/app.ts";

const WRONG = "return (await tools.orders.list({ limt: 1 })).length;";

Deno.test("preflight: block runs nothing of a program with a finding, and says where", async () => {
  await withApp({ policies: "open", preflight: "block" }, async ({ execute }) => {
    const { status, error, calls } = await execute(WRONG);
    deepStrictEqual([status, error?.code, error?.line, calls.length], [
      "error",
      "ERR_PREFLIGHT",
      1,
      0,
    ]);
    match(
      error?.message ?? "",
      /^1:35 "orders\.list" has no parameter "limt"; did you mean "limit"/,
    );
    strictEqual(
      (await execute("return (await tools.orders.list({ limit: 1 })).length;")).result,
      1,
    );
  });
});

Deno.test("preflight: warn tells the finding beside the failure, off does not", async () => {
  for (const preflight of ["warn", "off"]) {
    await withApp({ policies: "open", preflight }, async ({ execute }) => {
      const { error, warnings, calls } = await execute(WRONG);
      deepStrictEqual([error?.code, calls.length], ["ERR_INVALID_ARGUMENTS", 1]);
      strictEqual(warnings?.length ?? 0, preflight === "warn" ? 1 : 0);
    });
  }
});
