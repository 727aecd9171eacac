import fc from "fast-check";
import assert from "node:assert/strict";
import { redactResult } from "../../../src/policy/redact/redact.ts";
import { makeRedactionCorpus } from "./redaction_corpus.ts";

const TOKEN = "ghp_" + "a1B2".repeat(9);

/** Texts with what detectors look for, and with what JSON has to escape. */
const text = fc.array(
  fc.oneof(
    fc.constantFrom(
      ...[TOKEN, "bob@acme.com", '"john doe"@acme.com', "postgres://u:p@ss/w@db/x", "Bearer ", "'"],
      ...[
        "password=",
        'token: "',
        "\n",
        "\t",
        "\\",
        '"',
        "{",
        "[",
        "secret: |\n  ",
        "=",
        ",",
        "%40",
      ],
      ...[
        "\u001b[32m",
        "-----BEGIN PRIVATE " + "KEY-----\n",
        "Authorization: Digest a=",
        "ü@köln.de",
      ],
      ...[
        "api key: ",
        "--token ",
        "<password>",
        "://a:",
        "AKIA",
        "&sig=",
        "x-api-key: ",
        "npm_",
        " ",
      ],
    ),
    fc.string({ maxLength: 6 }),
  ),
  { maxLength: 6 },
).map((pieces) => pieces.join(""));

const name = fc.oneof(
  fc.constantFrom(
    "password",
    "DB_PASSWORD",
    "token",
    "apiKey",
    "cookie",
    "value",
    "name",
    "tokens",
  ),
  text,
);

const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(name, tie("json"), { maxKeys: 3 }),
  ),
}));

Deno.test("redactResult() leaves a JSON text JSON, at every level of quoting", () => {
  fc.assert(
    fc.property(json, fc.integer({ min: 1, max: 4 }), (value, levels) => {
      let quoted: unknown = value;
      for (let level = 0; level < levels; level++) quoted = JSON.stringify(quoted);
      let redacted = redactResult(quoted, ["secrets", "email"]).value;
      for (let level = 0; level < levels; level++) redacted = JSON.parse(String(redacted));
      assert.equal(typeof redacted, typeof value);
      assert.equal(Array.isArray(redacted), Array.isArray(value));
    }),
    { numRuns: 1_000, seed: 7 },
  );
});

Deno.test("redactResult() changes nothing in what it has redacted", () => {
  for (const { value } of makeRedactionCorpus()) {
    const once = redactResult(value, ["secrets", "email"]).value;
    assert.deepEqual(redactResult(once, ["secrets", "email"]).value, once);
  }
});

Deno.test("redactResult() keeps lists lists, objects objects and texts texts", () => {
  fc.assert(
    fc.property(json, (value) => {
      const shape = (part: unknown): unknown => {
        if (Array.isArray(part)) return part.map(shape);
        if (typeof part !== "object" || part === null) {
          return typeof part === "number" ? "string or number" : typeof part;
        }
        return Object.values(part).map(shape);
      };
      const text = JSON.stringify(shape(redactResult(value, ["secrets", "email"]).value));
      // A number under the name of a secret becomes a mark; nothing else changes its type.
      const alike = (json: string) => json.replaceAll('"string or number"', '"string"');
      assert.equal(alike(text), alike(JSON.stringify(shape(value))));
    }),
    { numRuns: 200, seed: 7 },
  );
});
