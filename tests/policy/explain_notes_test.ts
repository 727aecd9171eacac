import assert from "node:assert/strict";
import { explainNotes, keyNotes } from "../../src/policy/explain_notes.ts";
import { parsePolicy } from "../../src/policy/file/parse_policy.ts";
import { ACME_TOOLS } from "./sample_tools.ts";

const text = await Deno.readTextFile(new URL("../../policies/acme-prod.yaml", import.meta.url));
const acme = parsePolicy([{ path: "p.yaml", text }]);

Deno.test("keyNotes() tells a group of the policy from the value that it asks for", () => {
  const notes = (groups: string[], spaces: string[] | null = null) =>
    keyNotes({ groups, spaces }, acme);
  assert.deepEqual(notes(["acme-finance", "acme-eng"], ["refunds"]), []);
  assert.deepEqual(notes(["finance"]), [
    '"finance" is a group of the policy; keys hold the value it asks for: "acme-finance"',
  ]);
  assert.deepEqual(notes(["acme-finanse"], ["refund"]), [
    'No group of the policy asks for "acme-finanse"; did you mean "acme-finance"?',
    'The policy has no space "refund"; did you mean "refunds"?',
  ]);
  assert.deepEqual(keyNotes({ groups: [], spaces: ["default"] }, null), []);
});

Deno.test("explainNotes() keeps silent about what the policy or the catalog knows", () => {
  const notes = (as: object, call = "pay.refund") =>
    explainNotes({ as, call }, acme.groups, ACME_TOOLS);
  assert.deepEqual(notes({ groups: ["finance", "acme-eng"], claims: { groups: ["x"] } }), []);
  assert.deepEqual(notes({}, "pay.refnd"), [
    'There is no tool "pay.refnd"; explained is what would hold for one of that name; ' +
    'did you mean "pay.refund"?',
  ]);
  assert.deepEqual(explainNotes({ as: {}, call: "x.y" }, acme.groups, []), [], "nothing is listed");
});
