import assert from "node:assert/strict";
import { createAuditKeys } from "../../../src/audit/chain/audit_keys.ts";
import { checkpointOf, emptyChain } from "../../../src/audit/chain/chain.ts";
import { type ChainVerifierOptions, marksOf } from "../../../src/audit/verify/chain_marks.ts";

const { signer } = createAuditKeys();
const stranger = createAuditKeys().signer;
const noteOf = (chain: string, by = signer) => by.sign(checkpointOf(emptyChain(chain), 1_000));

function marks(options: Partial<ChainVerifierOptions>) {
  const problems: string[] = [];
  const found = marksOf({
    chain: "main",
    verifierKeys: [signer.verifierKey],
    anchors: [],
    trimmed: null,
    seal: null,
    known: [],
    ...options,
  }, (kind, seq, message) => problems.push(`${kind} ${seq} ${message}`));
  return { problems, found: found.map(({ trust, what, size }) => [trust, what, size]) };
}

Deno.test("marksOf() takes anchors of this chain by a trusted key, and passes over all others", () => {
  const anchors = [noteOf("main"), noteOf("other"), noteOf("main", stranger), "not a note"];
  assert.deepEqual(marks({ anchors }), {
    problems: [],
    found: [["anchor", "the anchor of 1970-01-01T00:00:01.000Z", 0]],
  });
});

Deno.test("marksOf() reports a note over the newest record that no trusted key signed for this chain", () => {
  const seal = marks({ seal: noteOf("main") });
  assert.deepEqual(seal, { problems: [], found: [["seal", "the note over the newest record", 0]] });
  for (const note of [noteOf("other"), noteOf("main", stranger), ""]) {
    assert.deepEqual(marks({ seal: note }), {
      problems: ["unsigned null The note over the newest record is not signed by a trusted key"],
      found: [],
    });
  }
});

Deno.test("marksOf() takes what is known otherwise, with or without a root", () => {
  const known = [{ size: 3, head: "ab", what: "the running log" }];
  assert.deepEqual(marks({ known }).found, [["known", "the running log", 3]]);
});
