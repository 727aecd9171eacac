import assert from "node:assert/strict";
import { placeEvent, RECORD_BYTES_MAX } from "../../../src/audit/audit_record.ts";
import { parseRecord } from "../../../src/audit/chain/parse_record.ts";
import { canonicalJson } from "../../../src/model/json/canonical_json.ts";

const PLACE = { chain: "main", seq: 3, ts: 1_000, prev: "ab".repeat(32) };
const RECORD = placeEvent({ kind: "admin", detail: { n: 1 } }, PLACE);

Deno.test("parseRecord() reads a line that the log wrote", () => {
  assert.deepEqual(parseRecord(canonicalJson(RECORD), "main"), RECORD);
});

Deno.test("parseRecord() says what is wrong with every other line", () => {
  const line = canonicalJson(RECORD);
  const changed = (members: { [name: string]: unknown }) =>
    canonicalJson({ ...RECORD, ...members });
  const padded = (length: number) => " ".repeat(length);
  const wrong: [line: string, why: RegExp][] = [
    ["", /^is not JSON$/],
    ["{", /^is not JSON$/],
    [`${line} `, /^is not canonical JSON$/],
    [JSON.stringify({ ...RECORD }), /^is not canonical JSON$/],
    [line.replace('"seq":3', '"seq":3.0'), /^is not canonical JSON$/],
    ["null", /known version/],
    ["[]", /known version/],
    [changed({ v: 2 }), /known version/],
    [changed({ chain: "other" }), /^is of another chain$/],
    ...[{ seq: -1 }, { seq: 1.5 }, { seq: "3" }, { prev: "AB".repeat(32) }, { prev: "ab" }, {
      ts: "never",
    }, {
      ts: 5,
    }, { kind: 1 }]
      .map((members): [string, RegExp] => [changed(members), /^lacks its place in the chain$/]),
    [padded(RECORD_BYTES_MAX * 2 + 1), /^is longer than a record can be$/],
    [padded(RECORD_BYTES_MAX * 2), /^is not JSON$/],
  ];
  for (const [line, why] of wrong) {
    const answer = parseRecord(line, "main");
    assert.match(typeof answer === "string" ? answer : "a record", why, line.slice(0, 200));
  }
});
