import assert from "node:assert/strict";
import { redactResult } from "../../../src/policy/redact/redact.ts";
import { makeRedactionCorpus } from "./redaction_corpus.ts";

Deno.test("redactResult() finds the secrets of the corpus and leaves its harmless lines", () => {
  const lines = makeRedactionCorpus();
  assert.equal(lines.length, 2_000);
  for (const part of ["tune", "apart"] as const) {
    const ours = lines.filter((line) => line.part === part);
    const missed = ours.filter(({ value, secrets }) => {
      const before = JSON.stringify(value);
      const after = JSON.stringify(redactResult(value, ["secrets", "email"]).value);
      if (secrets.length === 0) return false;
      assert.notEqual(before, after);
      return secrets.some((secret) => after.includes(secret));
    });
    const harmless = ours.filter(({ secrets }) => secrets.length === 0);
    const alarms = harmless.filter(({ value }) =>
      redactResult(value, ["secrets", "email"]).value !== value
    );
    assert.equal(ours.length, 1_000);
    assert.deepEqual({ missed, alarms }, { missed: [], alarms: [] });
  }
});
