import assert from "node:assert/strict";
import { redactResult } from "../../../src/policy/redact/redact.ts";

const redact = (text: string) => redactResult(text, ["email"]).value;

Deno.test("redactResult() takes out whole addresses of RFC 5321, 5322 and 6531", () => {
  const addresses = [
    "संपर्क@डाटामेल.भारत",
    "ทดสอบ@ยูเอ-ทดสอบ.ไทย",
    "用户@例え.テスト",
    "δοκιμή@παράδειγμα.δοκιμή",
    "user@ko\u0308ln.de",
    "jo\u0308rg@example.com",
    "𝒿ohn@example.com",
    "😀@example.com",
    '"john doe"@example.com',
    '"a@b"@example.com',
    "john&jane@example.com",
    "first/last=x!y@example.com",
    "o'neill+tag@sub.example.co.uk",
    "john%40example.com",
    "john\\u0040example.com",
    "john&#64;example.com",
    "john&#x40;example.com",
    "john&commat;example.com",
    "john\uff20example.com",
    "o\u2019brien@example.com",
    "bob%2Btag%40acme.com",
    "a@xn--bcher-kva.example",
    "a@example.xn--p1ai",
    "root@[10.0.0.15]",
    "root@[IPv6:2001:db8::1]",
    `${"x".repeat(64)}@example.com`,
  ];
  for (const address of addresses) {
    assert.equal(redact(address), "[redacted:email]", address);
    assert.equal(redact(`to ${address}, now`), "to [redacted:email], now", address);
  }
});

Deno.test("redactResult() leaves what stands around an address", () => {
  const texts = {
    "<bob@acme.com>; 'eve@acme.org', *ann@acme.io*.":
      "<[redacted:email]>; '[redacted:email]', *[redacted:email]*.",
    "https://x/?q=1&email=bob@acme.com&n=2": "https://x/?q=1&email=[redacted:email]&n=2",
    "https://x/?email=bob%40acme.com": "https://x/?email=[redacted:email]",
    "email=bob@acme.com": "email=[redacted:email]",
    "mailto:bob@acme.com?subject=x": "mailto:[redacted:email]?subject=x",
    "\u001b[1;32mbob@acme.com\u001b[0m": "\u001b[1;32m[redacted:email]\u001b[0m",
    '{"log":"a\\nbob@acme.com\\t"}': '{"log":"a\\n[redacted:email]\\t"}',
    "a%20bob@acme.com": "[redacted:email]",
    "@bob@acme.social": "@[redacted:email]",
    "ask bob@acme.com.": "ask [redacted:email].",
  };
  for (const [text, redacted] of Object.entries(texts)) assert.equal(redact(text), redacted, text);
});

Deno.test("redactResult() leaves versions, hosts, files and units that have an @", () => {
  const harmless = [
    ...["lodash@4.17.21", "checkout@v4.1.10", "root@10.0.0.15", "actions/checkout@v4"],
    ...[
      "react@18.3.0-beta.final",
      "@types/node@22.1.0",
      "vue@3.4.21/dist/vue.js",
      "pnpm@9.0.0+sha512.ab",
    ],
    ...[
      "git@github.com:acme/site.git",
      "ssh://git@github.com/acme/site",
      "deploy@localhost",
      "a@b",
    ],
    ...[
      "logo@2x.png",
      "chunk@abc.js",
      "handler@main.go",
      "report@q3.pdf",
      "getty@tty1.service",
      "user@1000.slice",
      "@acme",
      "10 @ 3.50",
    ],
    ...["postgres://app:word@db.example.com/x", "image@sha256:0123", "a@b.c", "x@.com", "HEAD@{1}"],
  ];
  for (const text of harmless) assert.equal(redact(text), text, text);
});
