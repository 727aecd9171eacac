import { ok, strictEqual } from "node:assert/strict";
import { countTokens, estimateTokens } from "../../src/usage/tokens.ts";

const ROWS = JSON.stringify(
  Array.from({ length: 200 }, (_, index) => ({
    id: `cus_${(index * 7_919).toString(16)}`,
    email: `customer${index}@example.com`,
    total: index * 1.37,
    at: new Date(1_700_000_000_000 + index * 10_000_000).toISOString(),
  })),
);

const TEXTS: readonly (readonly [name: string, text: string])[] = [
  ["prose", "Creates a DNS record for a zone. Proxied records may not have a TTL. ".repeat(20)],
  ["rows of JSON", ROWS],
  [
    "declarations",
    "/** Lists orders. */\nlist(args?: { since?: string /* date */; limit?: number }): Promise<{ id: string; customerId: string }[]>;\n"
      .repeat(20),
  ],
  ["Chinese", "获取天气预报，返回指定城市的天气信息。".repeat(20)],
  [
    "identifiers",
    "listNetworkingV1NamespacedNetworkPolicy zeroTrust_tunnels_cloudflared_get ".repeat(20),
  ],
];

for (const [name, text] of TEXTS) {
  Deno.test(`estimateTokens() is within a quarter of the count for ${name}`, async () => {
    const ratio = estimateTokens(text) / await countTokens(text);
    ok(ratio > 0.75 && ratio < 1.25, `${ratio}`);
  });
}

Deno.test("estimateTokens() counts nothing for nothing, and one for the least", () => {
  strictEqual(estimateTokens(""), 0);
  strictEqual(estimateTokens("\n"), 1);
});

Deno.test("estimateTokens() measures a large text by samples, and about the same", () => {
  const large = ROWS.repeat(Math.ceil(1_100_000 / ROWS.length));
  const expected = estimateTokens(ROWS) * (large.length / ROWS.length);
  const ratio = estimateTokens(large) / expected;
  ok(ratio > 0.97 && ratio < 1.03, `${ratio}`);
});

Deno.test("countTokens() is not slowed down by one long run of letters", async () => {
  const startedAt = performance.now();
  ok(await countTokens("a".repeat(60_000)) > 5_000);
  ok(performance.now() - startedAt < 5_000);
});
