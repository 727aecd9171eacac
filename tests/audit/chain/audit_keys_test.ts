import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { openAuditLog } from "../../../src/audit/audit_log.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";
import { until } from "../../fakes/upstream_parts.ts";
import { CONFIG, intent } from "../audit_fixture.ts";

const newKey = () => `${randomBytes(32).toString("base64")}\n`;

Deno.test("payload keys follow their file, and one that cannot be used changes nothing", async () => {
  const folder = await Deno.makeTempDir();
  const keysPath = `${folder}/audit`;
  const file = `${keysPath}.payload.key`;
  const lines: string[] = [];
  const said = (words: string) =>
    until(`the log says "${words}"`, () => lines.some((line) => line.includes(words)));
  const store = createMemoryStore();
  const log = await openAuditLog({
    store,
    chain: "main",
    config: CONFIG,
    keysPath,
    log: (line) => void lines.push(line),
  });
  const write = (call: string, note: string) =>
    log.append(intent(call), { args: JSON.stringify({ note }) });
  try {
    const first = await write("e1:0", "first");
    const old = await Deno.readTextFile(file);

    await Deno.writeTextFile(file, newKey() + old);
    await said("encrypted with the key");
    const second = await write("e1:1", "second");
    assert.deepEqual(await log.payloads(first), { args: '{"note":"first"}' });
    assert.deepEqual(await log.payloads(second), { args: '{"note":"second"}' });

    await Deno.writeTextFile(file, "not a key\n");
    await said("the payload keys from before stay in force");
    assert.ok(lines.some((line) => line.includes(file)));
    const third = await write("e1:2", "third");
    assert.deepEqual(await log.payloads(third), { args: '{"note":"third"}' });

    await Deno.writeTextFile(file, newKey());
    await said("is no longer in");
    const fourth = await write("e1:3", "fourth");
    assert.deepEqual(await log.payloads(fourth), { args: '{"note":"fourth"}' });
    // Without its key a payload stays closed, also for those who can read the store.
    assert.equal(await log.payloads(first), null);
    assert.equal(await log.payloads(third), null);
  } finally {
    await log.close();
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
});
