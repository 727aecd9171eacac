import assert from "node:assert/strict";
import type { ShipConfig } from "../../../src/audit/ship/place.ts";
import { reasonOfSink } from "../../../src/audit/ship/reason.ts";

const reason = (error: unknown, to: string) => reasonOfSink(error, { to } as ShipConfig[number]);

Deno.test("reasonOfSink() tells neither the address of a place nor a path", () => {
  const web = "https://user:pw@siem.example/in?token=s3cret";
  const cases: [error: unknown, to: string, said: string][] = [
    [
      new Error("cannot reach siem.example:443: no route to siem.example"),
      web,
      "cannot reach it: no route to it",
    ],
    [new Error("siem.example:8443 ended it"), "https://siem.example:8443/in", "it ended it"],
    [
      new Error("10.0.0.1:514 refuses connections"),
      "syslog+tcp://10.0.0.1:514",
      "it refuses connections",
    ],
    [
      new Error("Permission denied (os error 13): open '/var/audit/x.part'"),
      "file:/var/audit",
      "Permission denied (os error 13)",
    ],
    [new DOMException("signal timed out", "TimeoutError"), web, "it did not answer in time"],
    ["text", web, "text"],
  ];
  for (const [error, to, said] of cases) assert.equal(reason(error, to), said);
});

Deno.test("reasonOfSink() cuts at 300 characters and leaves no half of one", () => {
  assert.equal(reason(new Error("x".repeat(300)), "file:/a").length, 300);
  assert.equal(reason(new Error("x".repeat(301)), "file:/a").length, 300);
  assert.equal(reason("x".repeat(301), "file:/a").length, 300);
  assert.equal(reason(new Error(`${"x".repeat(299)}😀`), "file:/a").at(-1), "\ufffd");
});
