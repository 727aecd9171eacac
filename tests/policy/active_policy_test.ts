import assert from "node:assert/strict";
import type { AuditEvent } from "../../src/model/event.ts";
import { openActivePolicy } from "../../src/policy/active_policy.ts";
import { createBundleMemory } from "../../src/policy/bundle/memory.ts";
import { openStore } from "../../src/store/open_store.ts";
import { ACME_TOOLS, makeTool } from "./sample_tools.ts";

const policyText = (rule: string, test = "") => `
version: 1
name: reload
tools: { pay: { read: [get_refund], write: [refund] } }
rules:
  - ${rule}
${test}`;

const READ = "{ id: read, allow: read }";

async function withPolicy(
  use: (parts: {
    readonly active: Awaited<ReturnType<typeof openActivePolicy>>;
    readonly events: AuditEvent[];
    readonly write: (text: string) => Promise<void>;
    /** As editors write: another file takes the name. */
    readonly replace: (text: string) => Promise<void>;
  }) => Promise<void>,
  tools = () => ACME_TOOLS,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-policy-" });
  const path = `${folder}/policy.yaml`;
  await Deno.writeTextFile(path, policyText(READ));
  const events: AuditEvent[] = [];
  const active = await openActivePolicy({
    config: { policies: path },
    tools,
    isListed: () => true,
    now: Date.now,
    bundles: createBundleMemory(await openStore("memory:")),
    audit: (event) => Promise.resolve(void events.push(event)),
    log: () => {},
  });
  try {
    await use({
      active,
      events,
      write: (text) => Deno.writeTextFile(path, text),
      replace: async (text) => {
        await Deno.writeTextFile(`${folder}/new`, text);
        await Deno.rename(`${folder}/new`, path);
      },
    });
  } finally {
    await active.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a good new policy takes the old one's place, whole, and the audit says so", async () => {
  await withPolicy(async ({ active, events, write }) => {
    const before = active.current().digest;
    await write(policyText("{ id: more, allow: [read, write] }"));
    const status = await active.reload();
    assert.notEqual(status.digest, before);
    assert.equal(status.rejected, null);
    assert.equal(events.at(-1)?.kind, "policy.activate");
    assert.equal(events.at(-1)?.decision?.bundle, status.digest);
  });
});

Deno.test("a bad new policy leaves the old one active and says why", async () => {
  const bad: [string, RegExp][] = [
    ["rules: [", /policy\.yaml/],
    [policyText("{ id: read, alow: read }"), /alow|allow/],
    [policyText("{ id: typo, allow: write, tools: [pay.refund], when: args.amout > 1 }"), /amout/],
    [policyText("{ id: nothing, allow: write, tools: [pay.refnd] }"), /refnd/],
    [
      policyText(READ, "tests: [{ as: {}, call: pay.refund, args: { amount: 1 }, expect: allow }]"),
      /refund/,
    ],
  ];
  for (const [text, reason] of bad) {
    await withPolicy(async ({ active, events, write }) => {
      const before = active.current();
      await write(text);
      const status = await active.reload();
      assert.equal(active.current(), before);
      assert.match(status.rejected ?? "", reason);
      assert.equal(events.at(-1)?.err?.code, "ERR_CONFIG");
      await write(policyText(READ));
      assert.equal((await active.reload()).rejected, null, "mended");
    });
  }
});

Deno.test("a changed file is activated by itself, however often it is replaced", async () => {
  await withPolicy(async ({ active, write, replace }) => {
    for (const [change, id] of [[write, "a"], [replace, "b"], [replace, "c"]] as const) {
      const before = active.current().digest;
      await change(policyText(`{ id: ${id}, allow: [read, write] }`));
      const until = Date.now() + 10_000;
      while (active.current().digest === before) {
        assert.ok(Date.now() < until, `change ${id} was not noticed`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  });
});

Deno.test("a policy that did not fit the tools is activated once it does, and is refused once aloud", async () => {
  let tools = ACME_TOOLS;
  await withPolicy(async ({ active, events, write }) => {
    await write(policyText("{ id: new, allow: read, tools: [pay.get_late] }"));
    assert.match((await active.reload()).rejected ?? "", /pay\.get_late/);
    active.toolsChanged();
    active.toolsChanged();
    tools = [...ACME_TOOLS, makeTool("pay", "get_late")];
    active.toolsChanged();
    const { rejected } = await active.reload();
    assert.equal(rejected, null);
    const refusals = events.filter(({ decision }) => decision?.effect === "deny");
    assert.equal(refusals.length, 1);
    assert.equal(active.current().digest, active.status().digest);
    assert.ok(!Number.isNaN(Date.parse(active.status().since)));
  }, () => tools);
});
