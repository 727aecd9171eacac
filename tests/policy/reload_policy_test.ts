import assert from "node:assert/strict";
import type { AuditEvent } from "../../src/model/event.ts";
import { openPolicy } from "../../src/policy/builtin_policies.ts";
import { createBundleMemory } from "../../src/policy/bundle/memory.ts";
import { builtIn } from "../../src/policy/propose_policy.ts";
import { createPolicyReloads, type PolicyInForce } from "../../src/policy/reload_policy.ts";
import { openStore } from "../../src/store/open_store.ts";
import { ACME_TOOLS } from "./sample_tools.ts";

const GOOD = "version: 1\nname: good\nrules:\n  - { id: read, allow: read }\n";

/** Reloads of a file, and what they make of the built-in policy that is in force first. */
async function withReloads(
  use: (parts: {
    readonly reloads: ReturnType<typeof createPolicyReloads>;
    readonly inForce: PolicyInForce;
    readonly events: AuditEvent[];
    readonly path: string;
  }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-reload-" });
  const path = `${folder}/policy.yaml`;
  const events: AuditEvent[] = [];
  const { policy, document, warnings, isStale } = builtIn(openPolicy());
  const inForce: PolicyInForce = {
    policy,
    document,
    warnings,
    problems: [],
    rejected: null,
    since: 0,
    isStale,
  };
  const reloads = createPolicyReloads({
    config: { policies: path },
    tools: () => ACME_TOOLS,
    isListed: () => true,
    now: () => 5_000,
    bundles: createBundleMemory(await openStore("memory:")),
    audit: (event) => Promise.resolve(void events.push(event)),
    log: () => {},
    source: path,
  }, inForce);
  try {
    await use({ reloads, inForce, events, path });
  } finally {
    await reloads.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("createPolicyReloads() puts a good policy in force and records it once", async () => {
  await withReloads(async ({ reloads, inForce, events, path }) => {
    await Deno.writeTextFile(path, GOOD);
    await reloads.reload(true);
    assert.deepEqual([inForce.policy.name, inForce.since], ["good", 5_000]);
    assert.notEqual(inForce.document, null);
    await reloads.reload(true);
    assert.deepEqual(events.map(({ decision }) => decision?.because), [["good"]]);
  });
});

Deno.test("createPolicyReloads() keeps the policy in force when the file is bad, and says why", async () => {
  await withReloads(async ({ reloads, inForce, events, path }) => {
    const { policy } = inForce;
    await Deno.writeTextFile(path, "version: 1\nname: [");
    await reloads.reload(false);
    assert.equal(inForce.policy, policy);
    assert.equal(typeof inForce.rejected, "string");
    assert.deepEqual(events.map(({ decision }) => decision?.effect), ["deny"]);
    await Deno.writeTextFile(path, GOOD);
    await reloads.reload(false);
    assert.equal(inForce.rejected, null);
  });
});

Deno.test("createPolicyReloads() records the same reason again only for whoever asks", async () => {
  await withReloads(async ({ reloads, events, path }) => {
    await Deno.writeTextFile(path, "version: 1\nname: [");
    await reloads.reload(false);
    await reloads.reloadByItself();
    assert.equal(events.length, 1);
    await reloads.reload(true);
    assert.equal(events.length, 2);
  });
});
