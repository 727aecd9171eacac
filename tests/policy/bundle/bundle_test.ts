import fc from "fast-check";
import { FlattenedSign, importJWK } from "jose";
import assert from "node:assert/strict";
import { canonicalJson } from "../../../src/model/json/canonical_json.ts";
import { activateBundle } from "../../../src/policy/bundle/activation.ts";
import {
  buildBundle,
  type PolicyBundle,
  signBundle,
  verifyBundle,
} from "../../../src/policy/bundle/bundle.ts";
import { generateBundleKeys } from "../../../src/policy/bundle/signature.ts";
import { ACME_TOOLS, acmeTool, makePrincipal } from "../sample_tools.ts";

const text = await Deno.readTextFile(new URL("../../../policies/acme-prod.yaml", import.meta.url));
const files = [{ path: "acme-prod.yaml", text }];
const trusted = await generateBundleKeys();
const other = await generateBundleKeys();
const ISSUED = Date.parse("2026-01-01T00:00:00Z");
const DAY_MS = 86_400_000;

function build(more: Partial<Parameters<typeof buildBundle>[0]> = {}): PolicyBundle {
  return buildBundle({
    files,
    pins: { pay: { refund: "a".repeat(64) } },
    seq: 7,
    issuedAt: ISSUED,
    notAfter: ISSUED + 30 * DAY_MS,
    ...more,
  });
}

const signed = await signBundle(build(), trusted.privateKey);

async function rejects(bundleText: string, message: RegExp, keys = [trusted.publicKey]) {
  await assert.rejects(verifyBundle(bundleText, keys), { name: "GateError", message });
}

Deno.test("verifyBundle() accepts what a trusted key signed and gives its policy", async () => {
  const verified = await verifyBundle(signed, [other.publicKey, trusted.publicKey]);
  assert.equal(verified.bundle.seq, 7);
  assert.equal(verified.keyId, trusted.publicKey.kid);
  assert.equal(verified.document.name, "acme-prod");
  assert.match(verified.digest, /^[0-9a-f]{64}$/);
  assert.deepEqual(verified.bundle.groups.ci, { client: "ci-bot" });
  assert.deepEqual(verified.bundle.prices, { pay: { refund: 0.02 } });
});

Deno.test("verifyBundle() reads any spelling of the same JSON", async () => {
  const { bundle, signature } = JSON.parse(signed);
  const reversed = Object.fromEntries(Object.entries(bundle).toReversed());
  const again = await verifyBundle(JSON.stringify({ signature, bundle: reversed }), [
    trusted.publicKey,
  ]);
  assert.equal(again.digest, (await verifyBundle(signed, [trusted.publicKey])).digest);
});

Deno.test("verifyBundle() refuses every change of a single character", async () => {
  const compact = JSON.stringify(JSON.parse(signed));
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: compact.length - 1 }),
      fc.constantFrom("a", "0", "}", '"', "_", "é"),
      async (at, character) => {
        // The last letter of the signature holds four bits that mean nothing.
        if (compact[at] === character || at === compact.length - 3) return;
        const changed = compact.slice(0, at) + character + compact.slice(at + 1);
        await assert.rejects(verifyBundle(changed, [trusted.publicKey]));
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("verifyBundle() refuses a signature of nobody, of another, or of another kind", async () => {
  await rejects(signed, /no trusted key/, []);
  await rejects(signed, /no trusted key/, [other.publicKey]);
  const { bundle } = JSON.parse(signed);
  const withSignature = (signature: string) => JSON.stringify({ bundle, signature });
  await rejects(withSignature("a..b"), /no trusted key/);
  await rejects(withSignature("x"), /no trusted key/);
  const none = btoa(JSON.stringify({ alg: "none", b64: false, crit: ["b64"] }));
  await rejects(withSignature(`${none.replaceAll("=", "")}..`), /no trusted key/);
  const bytes = new TextEncoder().encode(canonicalJson(bundle));
  const key = await importJWK(trusted.privateKey, "EdDSA");
  const encoded = await new FlattenedSign(bytes).setProtectedHeader({ alg: "EdDSA" }).sign(key);
  await rejects(withSignature(`${encoded.protected}..${encoded.signature}`), /no trusted key/);
  const attached = `${encoded.protected}.${encoded.payload}.${encoded.signature}`;
  await rejects(withSignature(attached), /no trusted key|Too big/);
  const secret = { kty: "oct", k: trusted.publicKey.x ?? "" };
  await rejects(signed, /no trusted key/, [secret]);
});

Deno.test("verifyBundle() refuses what is not a bundle, with the reason", async () => {
  await rejects("", /it is not JSON/);
  await rejects("{}", /"bundle" is wrong/);
  await rejects("[".repeat(50_000), /not JSON/);
  await rejects(" ".repeat(33_554_433), /more than 33554432 characters/);
  const { signature } = JSON.parse(signed);
  const shape = (bundle: object) =>
    JSON.stringify({ bundle: { ...build(), ...bundle }, signature });
  await rejects(shape({ seq: 0 }), /"bundle\.seq" is wrong/);
  await rejects(shape({ extra: 1 }), /"bundle" is wrong/);
  await rejects(shape({ notAfter: "tomorrow" }), /"bundle\.notAfter" is wrong/);
  await rejects(shape({ pins: { pay: { refund: "short" } } }), /pins/);
  const liar = { ...build(), groups: { ci: { client: "somebody-else" } } };
  await rejects(await signBundle(liar, trusted.privateKey), /groups or prices differ/);
  const broken = { ...build(), policies: [{ path: "p", text: "version: 3" }] };
  await assert.rejects(
    verifyBundle(await signBundle(broken, trusted.privateKey), [trusted.publicKey]),
    /version/,
  );
});

Deno.test("buildBundle() and signBundle() refuse what could never be activated", async () => {
  assert.throws(() => build({ notAfter: ISSUED }), /end before it begins/);
  assert.throws(() => build({ seq: 1.5 }), /"seq" is wrong/);
  assert.throws(() => build({ files: [{ path: "p", text: "x: 1" }] }), /unknown key/);
  await assert.rejects(signBundle(build(), trusted.publicKey), /not a private Ed25519 key/);
});

const activation = {
  last: null,
  now: ISSUED + DAY_MS,
  stale: "deny" as const,
  tools: ACME_TOOLS,
  isListed: () => true,
};
const refund = {
  principal: makePrincipal({ claims: { groups: ["acme-finance"] } }),
  space: "refunds",
  tool: acmeTool("pay.refund"),
  args: { amount: 40, customer: "c1" },
  execution: { tainted: false, sources: [] },
};

async function verified(more: Parameters<typeof build>[0] = {}) {
  return await verifyBundle(await signBundle(build(more), trusted.privateKey), [trusted.publicKey]);
}

Deno.test("activateBundle() gives a policy that names the bundle", async () => {
  const bundle = await verified();
  const activated = activateBundle(bundle, activation);
  assert.ok(activated.ok);
  assert.equal(activated.policy.digest, bundle.digest);
  assert.equal(activated.policy.explain(refund).policy.digest, bundle.digest);
  assert.equal(activated.policy.decide(refund).effect, "allow");
  assert.deepEqual(activated.activated, { seq: 7, digest: bundle.digest });
  assert.equal(activated.staleAt, ISSUED + 30 * DAY_MS);
  assert.deepEqual(activated.warnings, []);
});

Deno.test("activateBundle() never goes back and never reuses a number", async () => {
  const bundle = await verified();
  const ask = (last: { seq: number; digest: string }) =>
    activateBundle(bundle, { ...activation, last });
  assert.ok(ask({ seq: 6, digest: "x" }).ok);
  assert.ok(ask({ seq: 7, digest: bundle.digest }).ok, "the same one after a restart");
  const reused = ask({ seq: 7, digest: "x" });
  assert.ok(!reused.ok);
  assert.match(reused.reasons.join(), /7 was active already with other content/);
  const older = ask({ seq: 8, digest: "x" });
  assert.ok(!older.ok);
  assert.match(older.reasons.join(), /7 is older than 8/);
});

Deno.test("activateBundle() refuses a policy that misses its tools or fails its tests", async () => {
  const typo = text.replace("args.amount > 50", "args.amout > 50");
  const misfit = activateBundle(
    await verified({ files: [{ path: "p.yaml", text: typo }] }),
    activation,
  );
  assert.ok(!misfit.ok);
  assert.match(misfit.reasons.join("\n"), /no argument "amout"/);
  const wrong = text.replace("expect: hidden", "expect: allow");
  const failing = activateBundle(
    await verified({ files: [{ path: "p.yaml", text: wrong }] }),
    activation,
  );
  assert.ok(!failing.ok);
  assert.match(failing.reasons.join("\n"), /pay\.get_refund expected allow, got hidden/);
  const away = { tools: ACME_TOOLS.filter(({ server }) => server !== "mail") };
  assert.ok(!activateBundle(await verified(), { ...activation, ...away }).ok);
  const isListed = (server: string) => server !== "mail";
  const later = activateBundle(await verified(), { ...activation, ...away, isListed });
  assert.ok(later.ok);
  assert.ok(later.warnings.some((warning) => warning.includes("mail")));
});

Deno.test("a stale bundle denies everything, or only warns", async () => {
  const bundle = await verified();
  const at = (now: number, stale: "deny" | "warn") => {
    const activated = activateBundle(bundle, { ...activation, now, stale });
    assert.ok(activated.ok);
    return activated;
  };
  const end = ISSUED + 30 * DAY_MS;
  assert.equal(at(end, "deny").policy.decide(refund).effect, "allow", "the last millisecond");
  const denied = at(end + 1, "deny");
  assert.equal(denied.policy.decide(refund).effect, "deny");
  assert.deepEqual(denied.policy.decide(refund).because, ["bundle-expired"]);
  assert.deepEqual(denied.policy.explain(refund).decision, denied.policy.decide(refund));
  assert.match(denied.warnings.join(), /stale since 2026-01-31/);
  const hidden = { ...refund, principal: makePrincipal() };
  assert.equal(denied.policy.decide(hidden).effect, "hidden", "what was hidden stays hidden");
  const warned = at(end + 1, "warn");
  assert.equal(warned.policy.decide(refund).effect, "allow");
  assert.match(warned.warnings.join(), /stale/);
  assert.match(at(ISSUED - 1, "warn").warnings.join(), /check the clock/);
});
