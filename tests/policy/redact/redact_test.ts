import fc from "fast-check";
import assert from "node:assert/strict";
import { redactResult } from "../../../src/policy/redact/redact.ts";

/** Put together here, so that no scanner takes this file for a leak. */
const SECRETS: { readonly [name: string]: string } = {
  "aws-key-id": "AKIA" + "IOSFODNN7EXAMPLE",
  "github-token": "ghp_" + "a1B2".repeat(9),
  "gitlab-token": "glpat-" + "abcde_12345-".repeat(2),
  "slack-token": "xoxb-" + "123456789012-abcdefABCDEF",
  "slack-webhook": "hooks.slack.com/services/" + "T0/B0/abcdef",
  "stripe-key": "sk_live_" + "0123456789abcdef",
  "model-key": "sk-proj-" + "abc123".repeat(6),
  "google-key": "AIza" + "0123456789-_ABCDEabcde0123456789ABC",
  "google-token": "ya29." + "abcdefghij0123456789",
  "npm-token": "npm_" + "a1B2".repeat(9),
  "pypi-token": "pypi-AgEI" + "abc_1".repeat(12),
  "hugging-face-token": "hf_" + "aB".repeat(17),
  "sendgrid-key": "SG." + "a".repeat(22) + "." + "b".repeat(43),
  "digitalocean-token": "dop_v1_" + "0f".repeat(32),
  "shopify-token": "shpat_" + "0f".repeat(16),
  "age-key": "AGE-SECRET-KEY-1" + "Q".repeat(58),
  "toolgate-key": "tg_" + "0f".repeat(8) + "_" + "a".repeat(43),
  "jwt": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0" + ".abcdefghijk-_",
};

Deno.test("redactResult() takes out every known shape of secret and names it", () => {
  for (const [name, secret] of Object.entries(SECRETS)) {
    const { value, redactions } = redactResult({ text: `before ${secret} after` }, ["secrets"]);
    assert.deepEqual(value, { text: `before [redacted:${name}] after` }, name);
    assert.equal(redactions, 1, name);
  }
});

Deno.test("redactResult() leaves what only looks a little like a secret", () => {
  const harmless = [
    "task-learn-something-very-long-indeed-1234567890123456",
    "sk-learn",
    "the ghp_ prefix",
    "AKIAIOSFODNN7EXAMPLE1 has one letter too many",
    "eyJhbGciOiJIUzI1NiJ9",
    "https://example.com:8080/a@b",
    "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
    "password",
  ];
  const { value, redactions } = redactResult(harmless, ["secrets"]);
  assert.equal(redactions, 0);
  assert.equal(value, harmless, "an unchanged value is the same object");
});

Deno.test("redactResult() takes out private keys, also one without an end", () => {
  const begin = "-----BEGIN OPENSSH PRIVATE " + "KEY-----";
  const end = "-----END OPENSSH PRIVATE " + "KEY-----";
  const { value } = redactResult([`a ${begin}\nxyz\n${end} b`, `c ${begin}\nxyz`], ["secrets"]);
  assert.deepEqual(value, ["a [redacted:private-key] b", "c [redacted:private-key]"]);
});

Deno.test("redactResult() takes the password out of a URL and the token out of a header", () => {
  const token = "abcdefghij".repeat(3);
  const { value } = redactResult(
    ["postgres://app:hunter2@db/x", `Authorization: Bearer ${token}`],
    ["secrets"],
  );
  assert.deepEqual(value, [
    "postgres://app:[redacted:url-password]@db/x",
    "Authorization: Bearer [redacted:bearer-token]",
  ]);
});

Deno.test("redactResult() hides values that stand under the name of a secret", () => {
  const { value, redactions } = redactResult(
    { password: "x", client_secret: "y", "API-Key": 7, token: "t", nextToken: "a", note: "b" },
    ["secrets"],
  );
  assert.deepEqual(value, {
    password: "[redacted:secret]",
    client_secret: "[redacted:secret]",
    "API-Key": "[redacted:secret]",
    token: "[redacted:secret]",
    nextToken: "a",
    note: "b",
  });
  assert.equal(redactions, 4);
});

Deno.test("redactResult() takes out e-mail addresses, in texts and in names", () => {
  const { value, redactions } = redactResult({
    "bob@acme.com": 1,
    "eve@acme.com": 2,
    text: "write to jörg.o'neill+x@mail.example.co.uk, or a@b or @acme.com or a@b.c.",
  }, ["email"]);
  assert.deepEqual(value, {
    "[redacted:email]": 1,
    "[redacted:email]#2": 2,
    text: "write to [redacted:email], or a@b or @acme.com or a@b.c.",
  });
  assert.equal(redactions, 3);
});

Deno.test("redactResult() follows own patterns with stars and digits", () => {
  const { value } = redactResult(
    "123-45-6789 1234-56-789 ACME-77-X ACME-7 7-X db.acme.internal:1",
    [
      { name: "ssn", pattern: "###-##-####" },
      { name: "case", pattern: "ACME-*-X" },
      { name: "host", pattern: "*.acme.internal" },
    ],
  );
  assert.equal(value, "[redacted:ssn] 1234-56-789 [redacted:case] ACME-7 7-X [redacted:host]:1");
});

Deno.test("redactResult() leaves nothing of two secrets that overlap", () => {
  const { value } = redactResult("mailto:ACME-bob@acme.com-X", [
    "email",
    { name: "case", pattern: "ACME-*-X" },
  ]);
  assert.doesNotMatch(String(value), /bob|acme\.com/);
});

Deno.test("redactResult() keeps __proto__ a name and replaces what is nested too deeply", () => {
  const hostile: unknown = JSON.parse('{"__proto__":{"mail":"a@acme.com"}}');
  const { value } = redactResult(hostile, ["email"]);
  assert.equal(JSON.stringify(value), '{"__proto__":{"mail":"[redacted:email]"}}');
  const deep = (depth: number): unknown =>
    JSON.parse(`${"[".repeat(depth)}"a@acme.com"${"]".repeat(depth)}`);
  assert.match(JSON.stringify(redactResult(deep(400), ["email"]).value), /redacted:email/);
  assert.match(JSON.stringify(redactResult(deep(401), ["email"]).value), /redacted:too-deep/);
  assert.match(JSON.stringify(redactResult(deep(5_000), ["email"]).value), /redacted:too-deep/);
});

Deno.test("redactResult() stays linear on texts made to slow it down", () => {
  const hostile = [
    "a@".repeat(500_000),
    `${"x".repeat(64)}@${"b".repeat(255)}`.repeat(3_000),
    "eyJ".repeat(300_000),
    "a".repeat(1_000_000),
    "://a:".repeat(200_000),
    "ACME-".repeat(200_000),
    "-----BEGIN RSA PRIVATE KEY".repeat(40_000),
  ];
  const startedAt = performance.now();
  redactResult(hostile, ["secrets", "email", { name: "case", pattern: "ACME-*-*-X" }]);
  // Linear work on 7 MB takes some 300 ms here; quadratic work takes minutes.
  assert.ok(performance.now() - startedAt < 60_000);
});

Deno.test("redactResult() finds a secret wherever it stands", () => {
  const secret = SECRETS["github-token"] ?? "";
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 4 }),
      fc.string({ maxLength: 20 }),
      fc.string({ maxLength: 20 }),
      (json, before, after) => {
        const planted = { around: JSON.parse(json), list: [[`${before} ${secret} ${after}`]] };
        const { value } = redactResult(planted, ["secrets", "email"]);
        assert.ok(!JSON.stringify(value).includes(secret));
      },
    ),
  );
});
