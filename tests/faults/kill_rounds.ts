import assert from "node:assert/strict";
import { queryAudit } from "../../src/audit/audit_query.ts";
import { readServiceFile } from "../../src/config/service_file.ts";
import type { AuditRecord } from "../../src/model/event.ts";
import { openStore } from "../../src/store/open_store.ts";
import { startCountingUpstream } from "../fakes/counting_upstream.ts";
import { withServicePlace } from "../fakes/service_place.ts";
import { killService, runToolgate, type ServiceProcess } from "../fakes/service_process.ts";

const CLIENTS = 8;
const CALLS_PER_PROGRAM = 3;
/** A service is killed at most this long after the first answer, or without one after the other. */
const LIFE_MS_MAX = 1_500;
const FIRST_ANSWER_MS_MAX = 20_000;
const VERIFY_EVERY = 10;

/** Counted by the rounds, for people who run them. */
export interface KillFigures {
  readonly starts: number;
  readonly effects: number;
  readonly answers: number;
  readonly records: number;
}

/**
 * Starts the service again and again where it always has process id 1, kills it at a random moment
 * under load, and compares what clients and the upstream saw with the audit log.
 */
export async function runKillRounds(rounds: number): Promise<KillFigures> {
  const upstream = startCountingUpstream();
  const answered: string[] = [];
  let figures: KillFigures | null = null;
  const within = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
  const mcpServers = { counter: { url: upstream.url } };
  try {
    await withServicePlace(async ({ folder, configFile, serviceFile, start }) => {
      for (let round = 1; round <= rounds; round++) {
        const service = await start({ within });
        assert.equal((await readServiceFile(serviceFile))?.pid, 1);
        const { promise: first, resolve: onAnswer } = Promise.withResolvers<void>();
        const clients = Array.from({ length: CLIENTS }, () => load(service, answered, onAnswer));
        const patience = setTimeout(onAnswer, FIRST_ANSWER_MS_MAX);
        await first;
        clearTimeout(patience);
        await sleep(Math.random() * LIFE_MS_MAX);
        await killService(service);
        await Promise.all(clients);
        if (round % VERIFY_EVERY === 0 || round === rounds) await verify(configFile);
      }
      // One more start closes what the last kill left open.
      const last = await start({ within });
      Deno.kill(last.pid, "SIGTERM");
      await last.child.status;
      await verify(configFile);
      const records = await readRecords(`kv:${folder}/toolgate.kv`);
      assertComplete(records, upstream.received, answered);
      figures = {
        starts: rounds + 1,
        effects: upstream.received.length,
        answers: answered.length,
        records: records.length,
      };
    }, { mcpServers });
  } finally {
    await upstream.close();
  }
  assert.ok(figures);
  return figures;
}

/** Runs programs until the service is gone; remembers the executions whose answer arrived whole. */
async function load(
  { url, token }: ServiceProcess,
  answered: string[],
  onAnswer: () => void,
): Promise<void> {
  const code = `
    const ids = Array.from({ length: ${CALLS_PER_PROGRAM} }, () => crypto.randomUUID());
    await Promise.all(ids.map((id) => tools.counter.touch({ id })));
    return "done";`;
  for (;;) {
    try {
      const response = await fetch(`${url}/api/v1/execute`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ code }),
      });
      const answer = await response.json() as { executionId?: string; result?: unknown };
      if (answer.result !== "done" || !answer.executionId) continue;
      answered.push(answer.executionId);
      onAnswer();
    } catch {
      return;
    }
  }
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function verify(configFile: string): Promise<void> {
  const { code, stdout, stderr } = await runToolgate(["audit", "verify", "--config", configFile]);
  assert.equal(code, 0, stdout + stderr);
}

async function readRecords(storeUrl: string): Promise<AuditRecord[]> {
  const store = await openStore(storeUrl);
  try {
    const records: AuditRecord[] = [];
    let after: string | undefined;
    do {
      const page = await queryAudit(store, {
        limit: 10_000,
        ...(after === undefined ? {} : { after }),
      });
      records.push(...page.records);
      after = page.next;
    } while (after !== undefined);
    return records;
  } finally {
    await store.close();
  }
}

function assertComplete(
  records: readonly AuditRecord[],
  received: readonly string[],
  answered: readonly string[],
): void {
  const ofKind = (kind: string) => records.filter((record) => record.kind === kind);
  const intents = new Set(ofKind("call.intent").map(({ call }) => call));
  const outcomes = new Set(ofKind("call.outcome").map(({ call }) => call));
  const ended = new Set(ofKind("execution.end").map(({ execution }) => execution));
  assert.deepEqual(received.filter((key) => !intents.has(key)), [], "effects without intent");
  assert.deepEqual(received.filter((key) => !outcomes.has(key)), [], "effects without outcome");
  assert.equal(new Set(received).size, received.length, "no call was made twice");
  assert.deepEqual(answered.filter((id) => !ended.has(id)), [], "answers that are not recorded");
  assert.ok(answered.length > 0 && received.length > 0, "there was load");
}
