/**
 * Time to verify a long log: from the store and from an export, and the share that each filter of a
 * search takes of a full scan.
 *
 * Run: deno run --allow-read --allow-write --allow-env --allow-sys bench/audit_verify_bench.ts [records]
 */
import { openAuditLog } from "../src/audit/audit_log.ts";
import { renderAuditReport, verifyAuditExport } from "../src/audit/verify/verify_audit.ts";
import { AuditSchema } from "../src/config/schema.ts";
import type { AuditEvent } from "../src/model/event.ts";
import { openKvStore } from "../src/store/kv/kv_store.ts";

const count = Number(Deno.args[0] ?? 1_000_000);
const folder = await Deno.makeTempDir();
const path = `${folder}/store.kv`;
const store = await openKvStore(path);
const config = AuditSchema.parse({ payloads: "off", checkpointEvery: 1_000 });
const log = await openAuditLog({ store, chain: "bench", config, keysPath: path });

await time(`write ${count} records`, async () => {
  for (let start = 0; start < count; start += 5_000) {
    const events = Array.from(
      { length: Math.min(5_000, count - start) },
      (_, n) => event(start + n),
    );
    await Promise.all(events.map((event) => log.append(event)));
  }
  await log.checkpoint();
});
console.log(`${((await Deno.stat(path)).size / 1e6).toFixed(0)} MB in the file`);

await time("verify in the store", async () => {
  const report = await log.verify({ payloads: false });
  console.log(renderAuditReport(report));
});

const lines: string[] = [];
await time("export", async () => {
  let after: string | undefined;
  do {
    const page = await store.scan({ limit: 5_000, ...(after === undefined ? {} : { after }) });
    for (const { body } of page.entries) lines.push(body);
    after = page.next;
  } while (after !== undefined);
  lines.reverse();
});
await time("verify the export", async () => {
  const report = await verifyAuditExport(lines, { verifierKeys: [log.verifierKey] });
  if (!report.ok) console.log(renderAuditReport(report));
});

const filters: [string, Parameters<typeof log.query>[0]][] = [
  ["newest 100", {}],
  ["principal", { principal: "user7" }],
  ["rare principal", { principal: "rare" }],
  ["nobody", { principal: "nobody" }],
  ["tool", { tool: "pay.tool_13" }],
  ["tool pattern", { tool: "*.tool_4?" }],
  ["pattern of nothing", { tool: "*.none" }],
  ["execution", { execution: "execution-1234" }],
  ["effect", { effect: "deny" }],
  ["kind without records", { kind: "policy.activate" }],
  ["rare together", { principal: "user7", tool: "pay.tool_7", effect: "deny" }],
  ["old hour", { until: Date.now() - 3_600_000 }],
];
for (const [name, filter] of filters) {
  const { records } = await log.query(filter);
  await time(`query ${name} (${records.length} found)`, async () => void (await log.query(filter)));
}
await log.close();
await store.close();
await Deno.remove(folder, { recursive: true });

function event(n: number): AuditEvent {
  const execution = `execution-${n >> 4}`;
  const call = `${execution}:${(n >> 1) & 7}`;
  return {
    kind: n % 2 === 0 ? "call.intent" : "call.outcome",
    space: "default",
    actor: {
      sub: n % 50_021 === 50_000 ? "rare" : `user${n % 20}`,
      iss: "keys",
      client: "cli",
      groups: ["finance"],
      scopes: ["execute"],
    },
    execution,
    call,
    tool: { server: "pay", name: `tool_${(n >> 1) % 50}`, access: "write", pin: "ab".repeat(32) },
    decision: { effect: "allow", because: ["refunds"], bundle: "cd".repeat(32) },
    ...(n % 2 === 0 ? {} : { result: { status: "ok" }, ms: { total: 12.5 } }),
  };
}

async function time(name: string, run: () => Promise<void>): Promise<void> {
  const start = performance.now();
  await run();
  const ms = performance.now() - start;
  console.log(`${name}: ${ms < 1_000 ? `${ms.toFixed(1)} ms` : `${(ms / 1_000).toFixed(1)} s`}`);
}
