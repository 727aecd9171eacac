import assert from "node:assert/strict";
import { renderUsageCsv } from "../../src/operations/usage_csv.ts";
import { usageRow } from "../console/console_fixture.ts";

Deno.test("renderUsageCsv() writes one line a row, with a head, and nothing for no value", () => {
  const row = { ...usageRow("ada", 2), firstTrySuccess: null };
  const [head = "", line = "", end] = renderUsageCsv("principal", [row]).split("\r\n");
  const cells = new Map(head.split(",").map((name, index) => [name, line.split(",")[index]]));
  assert.equal(cells.size, line.split(",").length);
  assert.equal(cells.get("principal"), "ada");
  assert.equal(cells.get("cost_usd"), "1.46");
  assert.equal(cells.get("calls"), "122");
  assert.equal(cells.get("first_try_success"), "");
  assert.equal(end, "");
});

Deno.test("renderUsageCsv() quotes names and lets no spreadsheet run them", () => {
  const names = ["=1+1", "@SUM(A1)", "-2", "+3", 'a,"b"\nc', "\tx"];
  const csv = renderUsageCsv("client", names.map((name) => usageRow(name, 1)));
  for (const cell of ["'=1+1,", "'@SUM(A1),", "'-2,", "'+3,", '"a,""b""\nc",', "'\tx,"]) {
    assert.ok(csv.includes(`\r\n${cell}`), cell);
  }
});
