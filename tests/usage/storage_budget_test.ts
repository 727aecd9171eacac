import assert from "node:assert/strict";
import { GateError } from "../../src/model/errors.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { createStorageBudget } from "../../src/usage/storage_budget.ts";

const DAY_MS = 86_400_000;
const ada = { issuer: "keys", sub: "ada" };
const bob = { issuer: "keys", sub: "bob" };

async function refusal(admission: Promise<void>): Promise<GateError> {
  const error = await admission.then(() => null, (error) => error);
  assert.ok(error instanceof GateError, "admitted");
  return error;
}

Deno.test("a budget admits below its bound and refuses at it, one person apart from another", async () => {
  const store = createMemoryStore();
  const budget = createStorageBudget({ store, now: () => DAY_MS / 2, bytesPerDayMax: 1_000 });
  budget.charge(ada, 999);
  await budget.admit(ada);
  budget.charge(ada, 1);
  const times: string[] = [];
  const error = await refusal(budget.admit(ada, (freesAt) => times.push(freesAt)));
  assert.equal(error.code, "ERR_LIMIT_REACHED");
  assert.match(error.message, /1000 bytes.*limit of 1000 bytes until 1970-01-02T00:00:00Z/);
  assert.equal(error.retryAfterMs, DAY_MS / 2);
  await refusal(budget.admit(ada, (freesAt) => times.push(freesAt)));
  assert.deepEqual(times, ["1970-01-02T00:00:00Z"], "told once");
  await budget.admit(bob);
  await budget.close();
  await store.close();
});

Deno.test("a budget survives a restart, is shared by replicas, and frees with the day", async () => {
  const store = createMemoryStore();
  let now = DAY_MS / 2;
  const open = () => createStorageBudget({ store, now: () => now, bytesPerDayMax: 1_000 });
  const before = open();
  before.charge(ada, 1_000);
  await before.close();
  const after = open();
  const other = open();
  await refusal(after.admit(ada));
  await refusal(other.admit(ada));
  now += DAY_MS;
  await after.admit(ada);
  after.charge(ada, 600);
  other.charge(ada, 600);
  await other.close();
  await refusal(after.admit(ada));
  await store.close();
});

Deno.test("what a failing store could not count is counted when it is back", async () => {
  const store = createMemoryStore();
  let isBroken = true;
  const add: typeof store.add = (...added) =>
    isBroken ? Promise.reject(new Error("away")) : store.add(...added);
  const budget = createStorageBudget({ store: { add }, now: () => 0, bytesPerDayMax: 1_000 });
  budget.charge(ada, 600);
  await budget.admit(ada);
  budget.charge(ada, 600);
  await refusal(budget.admit(ada));
  isBroken = false;
  await budget.close();
  const next = createStorageBudget({ store, now: () => 0, bytesPerDayMax: 1_000 });
  assert.match((await refusal(next.admit(ada))).message, /1200 bytes/);
  await store.close();
});
