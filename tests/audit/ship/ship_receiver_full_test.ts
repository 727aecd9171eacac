import assert from "node:assert/strict";
import { type AuditLog, openAuditLog } from "../../../src/audit/audit_log.ts";
import { type Shipping, startShipping } from "../../../src/audit/ship/ship.ts";
import { AuditSchema } from "../../../src/config/schema.ts";
import type { AuditRecord } from "../../../src/model/event.ts";
import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";
import type { ReceiverMode, SeenBatch } from "../../fakes/record_receiver.ts";
import { CONFIG, intent, outcome, writeExecutions } from "../audit_fixture.ts";

const DAY_MS = 86_400_000;
const LARGEST = 100_000_000;

interface Fixture {
  readonly log: AuditLog;
  readonly lines: string[];
  readonly clock: { now: number };
  start(sink?: { readonly [name: string]: unknown }): Shipping;
  become(mode: Partial<ReceiverMode>): Promise<void>;
  /** What came since the last time. */
  seen(): Promise<SeenBatch[]>;
}

/** A receiver that is a process of its own, on another HTTP stack. */
async function withReceiver(run: (fixture: Fixture) => Promise<void>): Promise<void> {
  const script = new URL("../../fakes/record_receiver.ts", import.meta.url).pathname;
  const receiver = new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-prompt", "--no-check", "--allow-net=127.0.0.1", script],
    stdout: "piped",
    stdin: "null",
  }).spawn();
  const store = createMemoryStore();
  const clock = { now: Date.parse("2026-04-01T00:00:00Z") };
  const log = await openAuditLog({ store, chain: "main", config: CONFIG, now: () => clock.now });
  const shippings: Shipping[] = [];
  const lines: string[] = [];
  const reader = receiver.stdout.getReader();
  try {
    const port = Number(new TextDecoder().decode((await reader.read()).value));
    const url = `http://127.0.0.1:${port}`;
    await run({
      log,
      lines,
      clock,
      start(sink = {}) {
        const to = `${url}/in?token=s3cret`;
        const { ship } = AuditSchema.parse({ ship: [{ to, every: "1h", ...sink }] });
        const shipping = startShipping({
          store,
          signNote: log.signNote,
          resolveSecrets: (text) => Promise.resolve(text),
          retentionMs: DAY_MS,
          now: () => clock.now,
          log: (level, message) => lines.push(`${level} ${message.replaceAll(url, "URL")}`),
        }, ship);
        shippings.push(shipping);
        return shipping;
      },
      async become(mode) {
        const body = JSON.stringify({ answer: "take", bytesMax: LARGEST, ...mode });
        await (await fetch(`${url}/mode`, { method: "POST", body })).body?.cancel();
      },
      seen: async () => await (await fetch(`${url}/seen`)).json(),
    });
  } finally {
    for (const shipping of shippings) await shipping.close();
    await log.close();
    receiver.kill("SIGKILL");
    await reader.cancel();
    await receiver.status;
  }
}

function recordsOf(batches: readonly SeenBatch[]): AuditRecord[] {
  return batches.filter(({ status }) => status === 200)
    .flatMap(({ body }) => body.trimEnd().split("\n").map((line) => JSON.parse(line)));
}

async function allRecords(log: AuditLog): Promise<AuditRecord[]> {
  return await Array.fromAsync(log.records());
}

for (const answer of ["take", "cut", "drop"] as const) {
  Deno.test(`a batch that a receiver does not take whole arrives in parts (${answer})`, async () => {
    await withReceiver(async ({ log, start, become, seen }) => {
      await writeExecutions(log, 60);
      await become({ answer, bytesMax: 20_000 });
      const shipping = start();
      // One that only ends the connection is tried again before its batch is taken for too large.
      for (let tries = 0; tries < 30 && (await shipping.status())[0]?.behind !== 0; tries++) {
        await shipping.flush();
      }
      const batches = await seen();
      assert.deepEqual(recordsOf(batches), await allRecords(log));
      const taken = batches.filter(({ status }) => status === 200);
      assert.equal(new Set(taken.map(({ key }) => key)).size, taken.length, "keys of their own");
      assert.ok(taken.length > 3 && taken.length < 40, `${taken.length} batches`);
      assert.equal((await shipping.status())[0]?.error, null);
    });
  });
}

Deno.test("a receiver that takes one record at a time gets every record", async () => {
  await withReceiver(async ({ log, start, become, seen }) => {
    await writeExecutions(log, 3);
    await become({ bytesMax: 1_200 });
    await start({ format: "cef" }).flush();
    const taken = (await seen()).filter(({ status }) => status === 200);
    const lines = taken.flatMap(({ body }) => body.trimEnd().split("\n"));
    assert.equal(lines.length, (await allRecords(log)).length);
  });
});

Deno.test("a record that is too large alone goes without its texts, which is said, and the rest goes on", async () => {
  await withReceiver(async ({ log, lines, start, become, seen }) => {
    await log.append(intent("e:0"));
    const decision = { effect: "allow", because: ["refunds"], bundle: "cd".repeat(32) } as const;
    await log.append({
      ...outcome("e:0"),
      decision,
      result: { status: "ERR_LIMIT_REACHED" },
      err: { code: "ERR_LIMIT_REACHED", message: "x".repeat(1_900) },
      detail: { limit: "refund-day", pad: Array.from({ length: 10 }, () => "y".repeat(1_900)) },
    });
    await writeExecutions(log, 5);
    await become({ bytesMax: 6_000 });
    for (const format of ["jsonl", "ocsf", "cef", "csv"]) {
      const shipping = start({ format });
      lines.length = 0;
      await shipping.flush();
      const [status] = await shipping.status();
      const batches = await seen();
      const reduced = batches.filter(({ key, status }) =>
        key.endsWith('-reduced"') && status < 300
      );
      if (format === "cef") {
        assert.equal(status?.reduced, 0); // CEF keeps 1,023 characters of a value anyway
        continue;
      }
      assert.deepEqual(reduced.map(({ key }) => key), ['"main/2-2-reduced"'], format);
      const said =
        "warn audit: URL/in does not take them whole, so they went without their texts: " +
        "records main/2";
      assert.deepEqual(lines, [said], format);
      assert.deepEqual([status?.behind, status?.error, status?.reduced], [0, null, 1]);
      assert.match(reduced[0]?.body ?? "", /ERR_LIMIT_REACHED/);
      if (format !== "jsonl") continue;
      const found = recordsOf(batches);
      const whole = await allRecords(log);
      assert.deepEqual(found.filter(({ seq }) => seq !== 2), whole.filter(({ seq }) => seq !== 2));
      const [record] = recordsOf(reduced);
      assert.equal(record?.detail?.limit, "refund-day");
      assert.match(String(record?.detail?.leftOut), /the log has it/);
      assert.deepEqual(record?.decision, decision);
    }
  });
});

for (const tooLarge of [400, 422]) {
  Deno.test(`a receiver that says ${tooLarge} to a batch that is too large gets it in parts`, async () => {
    await withReceiver(async ({ log, start, become, seen }) => {
      await writeExecutions(log, 60);
      await become({ bytesMax: 20_000, tooLarge });
      const shipping = start();
      await shipping.flush();
      assert.deepEqual(recordsOf(await seen()), await allRecords(log));
      const [status] = await shipping.status();
      assert.deepEqual([status?.error, status?.behind, status?.reduced], [null, 0, 0]);
    });
  });
}

Deno.test("one record that a receiver refuses does not keep the others from it", async () => {
  await withReceiver(async ({ log, lines, start, become, seen }) => {
    await writeExecutions(log, 3);
    const err = { code: "ERR_UPSTREAM", message: "x zut" } as const;
    await log.append({ ...outcome("e:texts"), result: { status: err.code }, err });
    await writeExecutions(log, 2);
    await log.append(intent("e:never"));
    await log.append(outcome("e:never"));
    await writeExecutions(log, 3);
    await become({ refuses: ["zut", "e:never"] });
    const shipping = start();
    await shipping.flush();
    const [status] = await shipping.status();
    assert.deepEqual([status?.error, status?.behind], [null, 0]);
    const whole = await allRecords(log);
    const seqOf = (text: string) =>
      whole.filter((record) => JSON.stringify(record).includes(text)).map(({ seq }) => seq);
    const never = seqOf("e:never");
    const [reduced = -1] = seqOf("zut");
    const found = new Map(recordsOf(await seen()).map((record) => [record.seq, record]));
    assert.deepEqual(
      whole.filter(({ seq }) => !found.has(seq)).map(({ seq }) => seq),
      never,
    );
    assert.match(String(found.get(reduced)?.detail?.leftOut), /the log has it/);
    assert.deepEqual([status?.reduced, status?.passedOver], [1, 2]);
    assert.ok(lines.some((line) => line.startsWith("error ") && line.includes(`main/${never[1]}`)));
  });
});

Deno.test("a receiver that refuses everything with 400 is not a reason to drop anything", async () => {
  await withReceiver(async ({ log, start, become, seen }) => {
    await writeExecutions(log, 4);
    await become({ answer: 400 });
    const shipping = start();
    await shipping.flush();
    await shipping.flush();
    const [status] = await shipping.status();
    assert.match(status?.error ?? "", /^it answered 400 even to one record/);
    assert.deepEqual([status?.behind, status?.passedOver], [(await allRecords(log)).length, 0]);
    await seen();
    await become({});
    await shipping.flush();
    assert.deepEqual(recordsOf(await seen()), await allRecords(log));
  });
});

Deno.test("a receiver that takes nothing at all is not a reason to drop anything", async () => {
  await withReceiver(async ({ log, start, become, seen }) => {
    await writeExecutions(log, 2);
    await become({ answer: 413 });
    const shipping = start();
    await shipping.flush();
    await shipping.flush();
    const [status] = await shipping.status();
    assert.match(status?.error ?? "", /^it answered 413 even to one record without its texts/);
    assert.equal(status?.behind, (await allRecords(log)).length);
    await seen();
    await become({});
    await shipping.flush();
    assert.deepEqual(recordsOf(await seen()), await allRecords(log));
  });
});

Deno.test("a batch has one key and one body at each try, through restarts and new records", async () => {
  await withReceiver(async ({ log, lines, start, become, seen }) => {
    await writeExecutions(log, 3);
    let shipping = start();
    const answers: Partial<ReceiverMode>[] = [
      { answer: 302 },
      { answer: 500 },
      { answer: "drop", bytesMax: 0 },
      { answer: 500 },
      { answer: 500 },
    ];
    for (const answer of answers) {
      await become(answer);
      await shipping.flush();
      await log.append(intent(`more:${lines.length}`));
    }
    await shipping.close();
    shipping = start();
    await shipping.flush();
    await become({});
    await shipping.flush();
    const batches = await seen();
    const [first] = batches;
    const tries = batches.filter(({ key }) => key === first?.key);
    // The HTTP client itself may repeat a request whose connection ended at once.
    assert.ok(tries.length >= answers.length + 2, `${tries.length}`);
    assert.deepEqual(new Set(tries.map(({ body }) => body)).size, 1);
    assert.deepEqual(recordsOf(batches), await allRecords(log));
    const failed = "warn audit: cannot ship to URL/in: ";
    assert.deepEqual(lines, [
      `${failed}it answered 302, a redirect to http://login.test, which is not followed`,
      `${failed}it answered 500`,
      `${failed}it closed the connection without an answer`,
      `${failed}it answered 500`,
      `${failed}it answered 500`, // of the new start
      "info audit: ships to URL/in again, after one failed try",
    ]);
  });
});

Deno.test("halves have keys of their own, the same at each try", async () => {
  await withReceiver(async ({ log, start, become, seen }) => {
    await writeExecutions(log, 20);
    await become({ bytesMax: 20_000 });
    let shipping = start();
    await shipping.flush();
    const first = (await seen()).map(({ key }) => key);
    assert.ok(first.length > 2);
    await writeExecutions(log, 20);
    await become({ answer: 413 });
    await shipping.flush();
    const refused = (await seen()).map(({ key }) => key);
    assert.ok(refused.length > 3 && new Set(refused).size === refused.length, refused.join());
    // What was begun is one record now; it keeps its key, whatever comes and however often.
    const one = refused.find((key) => key.endsWith('-reduced"'))?.replace("-reduced", "");
    await become({ answer: 500 });
    for (let round = 0; round < 2; round++) {
      await shipping.close();
      shipping = start();
      await shipping.flush();
      await writeExecutions(log, 1);
      assert.deepEqual((await seen()).map(({ key }) => key), [one]);
    }
    await become({});
    await shipping.flush();
    const taken = await seen();
    assert.equal(taken[0]?.key, one);
    const ranges = taken.map(({ key }) => /\/(\d+)-(\d+)"/.exec(key)?.slice(1).map(Number) ?? []);
    // The parts of the first batch double: one record, one, two, four, and so on.
    const sizes = ranges.map(([first = 0, last = 0]) => last - first + 1);
    assert.deepEqual(sizes.slice(0, 3), [1, 1, 2]);
    assert.deepEqual(
      ranges.slice(1).map(([first]) => first),
      ranges.slice(0, -1).map(([, last]) => (last ?? 0) + 1),
    );
    assert.deepEqual((await shipping.status())[0]?.behind, 0);
  });
});

Deno.test("batches are bounded by records and by bytes, and the place is asked for more again", async () => {
  await withReceiver(async ({ log, start, become, seen }) => {
    await writeExecutions(log, 60);
    await start({ batchRecordsMax: 50 }).flush();
    const byRecords = await seen();
    assert.deepEqual(
      byRecords.slice(0, -1).map((batch) => recordsOf([batch]).length),
      byRecords.slice(0, -1).map(() => 50),
    );
    await start({ format: "ocsf", batchBytesMax: 20_000 }).flush();
    const byBytes = await seen();
    assert.ok(byBytes.every(({ body }) => Buffer.byteLength(body) <= 20_000));
    assert.ok(byBytes.slice(0, -1).every(({ body }) => Buffer.byteLength(body) > 10_000));
    await become({ bytesMax: 3_000 });
    const shipping = start({ format: "csv", batchBytesMax: 10_000 });
    await shipping.flush();
    await become({});
    await writeExecutions(log, 300);
    await seen();
    await shipping.flush();
    const sizes = (await seen()).map(({ body }) => Buffer.byteLength(body));
    assert.ok((sizes[0] ?? 0) < 4_000 && Math.max(...sizes) > 6_000, sizes.join());
  });
});

Deno.test("a sink that is behind by more than the retention is an alarm, once, and so is its end", async () => {
  await withReceiver(async ({ log, lines, clock, start, become }) => {
    await become({ answer: 503 });
    await log.append(intent("e:0"));
    const shipping = start();
    await shipping.flush();
    clock.now += DAY_MS - 1_000;
    const [before] = await shipping.status();
    assert.deepEqual([before?.isLate, before?.oldestSeconds], [false, 86_399]);
    clock.now += 2_000;
    const [late] = await shipping.status();
    assert.equal(late?.isLate, true);
    await shipping.flush();
    await shipping.status();
    assert.equal(lines.length, 2);
    assert.match(
      lines[1] ?? "",
      /^error audit: URL\/in is behind by more than retentionDays \(1\): 2 records wait.*it answered 503$/,
    );
    assert.deepEqual(shipping.known()[0]?.isLate, true);
    await become({});
    await shipping.flush();
    assert.deepEqual(lines.slice(2), [
      "info audit: ships to URL/in again, after 2 failed tries",
      "info audit: URL/in is no longer behind by more than retentionDays",
    ]);
    assert.deepEqual((await shipping.status())[0]?.oldestSeconds, null);
  });
});
