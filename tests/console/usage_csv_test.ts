import assert from "node:assert/strict";
import { renderUsageCsv } from "../../src/console/usage_csv.ts";
import { usageRow } from "./console_fixture.ts";

Deno.test("renderUsageCsv() writes one line a row, with a head, and nothing for no value", () => {
  const row = { ...usageRow("ada", 2), firstTrySuccess: null };
  const [head, line, end] = renderUsageCsv("principal", [row]).split("\r\n");
  assert.match(head ?? "", /^principal,cost_usd,calls,/);
  assert.equal(
    line,
    "ada,1.46,122,4,2,24,18,16,2,14,,2140,0.021,980,4820,86,440,36800,1224000,,,",
  );
  assert.equal(end, "");
});

Deno.test("renderUsageCsv() quotes names and lets no spreadsheet run them", () => {
  const names = ["=1+1", "@SUM(A1)", "-2", "+3", 'a,"b"\nc', "\tx"];
  const csv = renderUsageCsv("client", names.map((name) => usageRow(name, 1)));
  for (const cell of ["'=1+1,", "'@SUM(A1),", "'-2,", "'+3,", '"a,""b""\nc",', "'\tx,"]) {
    assert.ok(csv.includes(`\r\n${cell}`), cell);
  }
});
