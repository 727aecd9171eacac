/**
 * Audited calls per second on the embedded store: intent and outcome of each call are durable,
 * payloads are encrypted, and the chain and its seals are written.
 *
 * Run: deno run --allow-read --allow-write --allow-env --allow-sys bench/audit_bench.ts [seconds] [--no-payloads]
 */
import { openAuditLog } from "../src/audit/audit_log.ts";
import { AuditSchema } from "../src/config/schema.ts";
import type { AuditEvent } from "../src/model/event.ts";
import { openKvStore } from "../src/store/kv/kv_store.ts";

const secondsEach = Number(Deno.args.find((text) => /^\d+$/.test(text)) ?? 3);
const payloads = Deno.args.includes("--no-payloads") ? "off" : "encrypted";

const ARGS = JSON.stringify({
  customer: "c_1042",
  amount: 40,
  reason: "damaged in transit",
  notify: true,
});
const RESULT = JSON.stringify({
  id: "re_1",
  status: "succeeded",
  items: Array(8).fill({ sku: "a-1", quantity: 2 }),
});

const folder = await Deno.makeTempDir();
try {
  console.log(`fsync of 4 KiB: ${(await probeFsync(folder)).toFixed(2)} ms (p50)`);
  console.log("concurrent  calls/s  intent p50 ms  p99 ms  bytes/record");
  for (const concurrent of [1, 8, 64, 256]) await measure(concurrent);
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function measure(concurrent: number): Promise<void> {
  const path = `${folder}/${concurrent}.kv`;
  const store = await openKvStore(path);
  const config = AuditSchema.parse({ payloads });
  const log = await openAuditLog({ store, chain: "bench", config, keysPath: path });
  const intentMs: number[] = [];
  let calls = 0;
  const endAt = performance.now() + secondsEach * 1_000;
  async function work(worker: number): Promise<void> {
    let recorded: Promise<unknown> = Promise.resolve();
    while (performance.now() < endAt) {
      const call = eventOf(worker, calls++);
      const start = performance.now();
      await log.append(call, { args: ARGS });
      intentMs.push(performance.now() - start);
      const { decision: _, ...rest } = call;
      const result = { status: "ok", tokensKeptOut: 120 };
      await recorded;
      // As in the gate: the program gets its answer while the outcome is still being written.
      recorded = log.append(
        { ...rest, kind: "call.outcome", result, ms: { total: 12.5, upstream: 11 } },
        { result: RESULT },
        "soon",
      );
    }
    await recorded;
  }
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrent }, (_, worker) => work(worker)));
  const seconds = (performance.now() - start) / 1_000;
  await log.close();
  await store.close();
  const bytes = (await sizeOf(path)) / (2 * intentMs.length);
  intentMs.sort((a, b) => a - b);
  const at = (share: number) => (intentMs[Math.floor(intentMs.length * share)] ?? 0).toFixed(2);
  console.log(
    [
      String(concurrent).padStart(10),
      (intentMs.length / seconds).toFixed(0).padStart(7),
      at(0.5).padStart(13),
      at(0.99).padStart(6),
      bytes.toFixed(0).padStart(12),
    ].join("  "),
  );
}

function eventOf(worker: number, n: number): AuditEvent {
  const execution = `0198c7a2-5b1e-7000-8000-${String(worker * 1_000 + (n % 7)).padStart(12, "0")}`;
  return {
    kind: "call.intent",
    space: "default",
    actor: {
      sub: `user${worker % 20}`,
      iss: "keys",
      client: "cli",
      groups: ["finance"],
      scopes: ["execute"],
    },
    execution,
    call: `${execution}:${n}`,
    trace: "4bf92f3577b34da6a3ce929d0e0e4736",
    tool: { server: "pay", name: `tool_${n % 50}`, access: "write", pin: "ab".repeat(32) },
    decision: { effect: "allow", because: ["refunds"], bundle: "cd".repeat(32) },
    ms: { policy: 0.01 },
  };
}

async function sizeOf(path: string): Promise<number> {
  let bytes = 0;
  for (const suffix of ["", "-wal"]) {
    const info = await Deno.stat(path + suffix).catch(() => null); // the write-ahead file may be gone
    bytes += info?.size ?? 0;
  }
  return bytes;
}

async function probeFsync(folder: string): Promise<number> {
  const file = await Deno.open(`${folder}/probe`, { create: true, write: true });
  const times: number[] = [];
  for (let n = 0; n < 50; n++) {
    const start = performance.now();
    await file.write(new Uint8Array(4_096));
    await file.syncData();
    times.push(performance.now() - start);
  }
  file.close();
  return times.sort((a, b) => a - b)[25] ?? 0;
}
