/**
 * A service that is killed: 64 callers reserve, write an intent and then call an upstream, which is
 * one line on stdout. Argument: path of the store.
 */
import type { LimitRule } from "../../src/model/limit_rule.ts";
import { openKvStore } from "../../src/store/kv/kv_store.ts";
import type { LogEntry } from "../../src/store/store.ts";
import { createQuotas } from "../../src/usage/quota.ts";

const [path = ""] = Deno.args;
/** People and executions; four callers share each. */
const SUBJECTS = 16;
const store = await openKvStore(path);
const quotas = createQuotas({ store, now: Date.now });
const common = { tools: null, for: null, over: "deny", by: "owner", message: "" } as const;
const week = 7 * 86_400_000;
const rules: LimitRule[] = [
  { id: "calls", per: "tenant", max: 1_000, unit: "calls", everyMs: week, ...common },
  { id: "money", per: "tenant", max: 1_000, unit: "args.amount", everyMs: week, ...common },
  { id: "mine", per: "user", max: 900, unit: "calls", everyMs: week, ...common },
  { id: "run", per: "execution", max: 900, unit: "calls", everyMs: null, ...common },
];
const log = `replica-${crypto.randomUUID()}`;
let seq = 0;
let waiting: LogEntry[] = [];
let writing: Promise<void> | null = null;

/** One appender with one batch in flight, as in the audit log: intents of all callers share commits. */
async function appendIntent(execution: string): Promise<void> {
  const ts = Date.now();
  waiting.push({ log, seq: seq++, ts, principal: "p", tool: "t", execution, body: "{}" });
  const before = writing;
  const mine = waiting;
  if (before !== null) await before;
  if (mine === waiting) {
    waiting = [];
    writing = store.append(mine);
  }
  await writing;
}

async function caller(index: number): Promise<void> {
  const execution = `${index % SUBJECTS}`;
  const principal = { issuer: "test", sub: execution };
  for (;;) {
    const answer = await quotas.reserve(rules, {
      execution,
      principal,
      groups: [],
      spaces: ["default"],
      args: { amount: 1 },
      usd: 0,
    });
    if (!answer.ok) return;
    await appendIntent(execution);
    await Deno.stdout.write(new TextEncoder().encode("call\n"));
  }
}

await Promise.all(Array.from({ length: 64 }, (_, index) => caller(index)));
await Deno.stdout.write(new TextEncoder().encode("used up\n"));
await store.close();
