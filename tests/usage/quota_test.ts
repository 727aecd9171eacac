import assert from "node:assert/strict";
import fc from "fast-check";
import type { LimitRule } from "../../src/model/limit_rule.ts";
import { openKvStore } from "../../src/store/kv/kv_store.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import type { Store } from "../../src/store/store.ts";
import {
  createQuotas,
  type QuotaAnswer,
  type QuotaCall,
  type Reservation,
} from "../../src/usage/quota.ts";
import { describeRefusal, remedyOf } from "../../src/usage/quota_words.ts";

const HOUR_MS = 3_600_000;
/** Five minutes past some hour. */
const NOW = 1_785_000_000_000 - 1_785_000_000_000 % HOUR_MS + 300_000;

function limit(more: Partial<LimitRule> & Pick<LimitRule, "id">): LimitRule {
  return {
    per: "tenant",
    max: 10,
    unit: "calls",
    everyMs: HOUR_MS,
    tools: null,
    for: null,
    over: "deny",
    by: "owner",
    message: "",
    ...more,
  };
}

function call(more: Partial<QuotaCall> = {}): QuotaCall {
  return {
    execution: "e1",
    principal: { issuer: "test", sub: "ann" },
    groups: [],
    spaces: ["default"],
    args: {},
    usd: 0,
    ...more,
  };
}

function openQuotas(store: Pick<Store, "add"> = createMemoryStore(() => clock.time)) {
  return createQuotas({ store, now: () => clock.time });
}
const clock = { time: NOW };

function taken(answer: QuotaAnswer): Reservation {
  assert.ok(answer.ok, "the reservation was refused");
  return answer.reservation;
}

function refused(answer: QuotaAnswer) {
  assert.ok(!answer.ok, "the reservation was granted");
  return answer;
}

Deno.test("reserve() passes exactly as many calls as the limit says, then says when it frees", async () => {
  const quotas = openQuotas();
  const rules = [limit({ id: "hourly", max: 3 })];
  for (let count = 0; count < 3; count++) taken(await quotas.reserve(rules, call()));
  const answer = refused(await quotas.reserve(rules, call()));
  assert.equal(answer.rule.id, "hourly");
  assert.equal(answer.freesAt, NOW - 300_000 + HOUR_MS);
  assert.match(describeRefusal(answer), /^Quota "hourly" is used up until 20\d\d-.*:00:00Z\.$/);
});

Deno.test("reserve() starts anew with the next window and not a millisecond earlier", async () => {
  const quotas = openQuotas();
  const rules = [limit({ id: "hourly", max: 1 })];
  try {
    taken(await quotas.reserve(rules, call()));
    clock.time = NOW - 300_000 + HOUR_MS - 1;
    refused(await quotas.reserve(rules, call()));
    clock.time++;
    taken(await quotas.reserve(rules, call()));
  } finally {
    clock.time = NOW;
  }
});

Deno.test("reserve() counts each subject by itself", async () => {
  const quotas = openQuotas();
  const pass = async (rule: LimitRule, first: QuotaCall, second: QuotaCall, other: QuotaCall) => {
    taken(await quotas.reserve([rule], first));
    refused(await quotas.reserve([rule], second));
    taken(await quotas.reserve([rule], other));
  };
  const ann = { issuer: "test", sub: "ann" };
  await pass(
    limit({ id: "execution", per: "execution", everyMs: null, max: 1 }),
    call(),
    call({ principal: { issuer: "test", sub: "bob" } }),
    call({ execution: "e2" }),
  );
  await pass(
    limit({ id: "user", per: "user", max: 1 }),
    call({ principal: ann }),
    call({ principal: ann, execution: "e2" }),
    call({ principal: { issuer: "other", sub: "ann" } }),
  );
  await pass(
    limit({ id: "space", per: "space", max: 1 }),
    call(),
    call({ principal: { issuer: "test", sub: "bob" } }),
    call({ spaces: ["refunds"] }),
  );
  await pass(
    limit({ id: "union", per: "space", max: 1 }),
    call({ spaces: ["a"] }),
    call({ spaces: ["a", "b"] }),
    call({ spaces: ["b"] }),
  );
  await pass(
    limit({ id: "group", per: "group", max: 1 }),
    call({ groups: ["a", "b"] }),
    call({ groups: ["b", "c"] }),
    call({ groups: ["c"] }),
  );
});

Deno.test("reserve() keeps a limit per group off people who are in no group of it", async () => {
  const quotas = openQuotas();
  const rules = [limit({ id: "group", per: "group", for: ["a"], max: 1 })];
  for (let count = 0; count < 3; count++) {
    taken(await quotas.reserve(rules, call({ groups: ["b"] })));
  }
  taken(await quotas.reserve(rules, call({ groups: ["a", "b"] })));
  refused(await quotas.reserve(rules, call({ groups: ["a", "b"] })));
});

Deno.test("reserve() sums an argument exactly, up to the limit and not above", async () => {
  const quotas = openQuotas();
  const rules = [limit({ id: "refunds", max: 1, unit: "args.amount" })];
  for (let count = 0; count < 10; count++) {
    taken(await quotas.reserve(rules, call({ args: { amount: 0.1 } })));
  }
  refused(await quotas.reserve(rules, call({ args: { amount: 0.000001 } })));
  taken(await quotas.reserve(rules, call({ args: { amount: 0 } })));
});

Deno.test("reserve() refuses amounts that nobody can count, and counts nothing for them", async () => {
  const quotas = openQuotas();
  const rules = [
    limit({ id: "calls", max: 100 }),
    limit({ id: "refunds", max: 9e9, unit: "args.order.amount" }),
  ];
  const hostile = [-1, -0.0000001, "40", null, true, {}, NaN, Infinity, 1e300, 9e9 + 1, [], [[1]]];
  for (const amount of hostile.filter((value) => !Array.isArray(value) || value.length > 0)) {
    const answer = refused(await quotas.reserve(rules, call({ args: { order: { amount } } })));
    assert.equal(answer.reason, "amount", String(amount));
    assert.equal(answer.freesAt, null);
  }
  const odd = [{}, { order: null }, { order: "x" }, null, [], JSON.parse('{"__proto__":{}}')];
  for (const args of odd) {
    assert.equal(refused(await quotas.reserve(rules, call({ args }))).reason, "amount");
  }
  for (let count = 0; count < 100; count++) {
    taken(await quotas.reserve(rules, call({ args: { order: { amount: 1 } } })));
  }
  assert.equal(
    refused(await quotas.reserve(rules, call({ args: { order: { amount: 1 } } }))).rule.id,
    "calls",
  );
});

Deno.test("a refused amount is told what is left, what can never pass, and what is too large", async () => {
  const quotas = openQuotas();
  const words = async (rule: LimitRule, amount: unknown) => {
    const answer = refused(await quotas.reserve([rule], call({ args: { amount } })));
    return { text: describeRefusal(answer), remedy: remedyOf(answer), freesAt: answer.freesAt };
  };
  const day = limit({ id: "day", max: 10, unit: "args.amount" });
  const never = await words(day, 50);
  assert.equal(
    never.text,
    'Quota "day" is 10 args.amount and this call needs 50, so it can never pass.',
  );
  assert.equal(never.remedy, "Pass at most 10 as args.amount, or leave this call out");
  assert.equal(never.freesAt, null);

  taken(await quotas.reserve([day], call({ args: { amount: 4.1 } })));
  const over = await words(day, 9);
  assert.match(
    over.text,
    /^Quota "day" has 5\.9 of 10 args\.amount left until 20.*Z and this call needs 9\.$/,
  );
  assert.match(over.remedy, /^Pass at most 5\.9 as args\.amount, or try again after that time/);
  taken(await quotas.reserve([day], call({ args: { amount: 5.9 } })));
  assert.match((await words(day, 1)).text, /^Quota "day" is used up until 20.*Z\.$/);

  const large = await words(day, 9_000_000_001);
  assert.match(large.text, /cannot count so much: args\.amount is above 9000000000/);
  assert.match((await words(day, 9_007_199_254_740_993n)).text, /cannot count so much/);
  assert.match((await words(day, "9")).text, /needs args\.amount to be a number that is not neg/);
  assert.match((await words(day, -9n)).text, /needs args\.amount to be a number that is not neg/);
  const list = { args: { a: Array.from({ length: 10_001 }, () => 0) } };
  const items = refused(await quotas.reserve([limit({ id: "i", unit: "args.a" })], call(list)));
  assert.match(describeRefusal(items), /args\.a has more than 10000 items/);

  const asked = limit({ id: "ask", max: 10, unit: "args.amount", over: "ask", by: "owner" });
  const beyond = await words(asked, 50);
  assert.equal(beyond.text, 'Quota "ask" is 10 args.amount and this call needs 50.');
  assert.match(beyond.remedy, /^Beyond this limit owner has to approve each call/);
  const run = limit({ id: "run", per: "execution", everyMs: null, max: 1, unit: "args.amount" });
  taken(await quotas.reserve([run], call({ args: { amount: 0.5 } })));
  const rest = await words(run, 0.75);
  assert.match(
    rest.text,
    /has 0\.5 of 1 args\.amount left for this execution and this call needs 0\.75/,
  );
  assert.equal(rest.remedy, "Pass at most 0.5 as args.amount, or make fewer calls in one program");
});

Deno.test("reserve() sums over the items of a list on the way", async () => {
  const quotas = openQuotas();
  const rules = [limit({ id: "batch", max: 100, unit: "args.payments.amount" })];
  const args = { payments: [{ amount: 60 }, { amount: 40 }] };
  taken(await quotas.reserve(rules, call({ args })));
  refused(await quotas.reserve(rules, call({ args: { payments: [{ amount: 1 }] } })));
  refused(await quotas.reserve(rules, call({ args: { payments: [{ amount: 0 }, {}] } })));
});

Deno.test("reserve() takes all counters or none", async () => {
  const quotas = openQuotas();
  const wide = limit({ id: "wide", per: "execution", everyMs: null, max: 5 });
  const narrow = limit({ id: "narrow", per: "tenant", max: 2 });
  taken(await quotas.reserve([wide, narrow], call()));
  taken(await quotas.reserve([wide, narrow], call()));
  assert.equal(refused(await quotas.reserve([wide, narrow], call())).rule.id, "narrow");
  for (let count = 0; count < 3; count++) taken(await quotas.reserve([wide], call()));
  refused(await quotas.reserve([wide], call()));
});

Deno.test("refund() gives everything back, settle() corrects sizes and money", async () => {
  const quotas = openQuotas();
  const rules = [
    limit({ id: "calls", max: 1 }),
    limit({ id: "bytes", max: 1_000, unit: "bytes" }),
    limit({ id: "usd", max: 1, unit: "usd" }),
  ];
  const first = taken(await quotas.reserve(rules, call({ usd: 0.4 })));
  await quotas.refund(first);
  const second = taken(await quotas.reserve(rules, call({ usd: 0.4 })));
  await quotas.settle(second, { bytes: 999, tokens: 0, usd: 0.9 });
  const usd = rules.slice(2);
  refused(await quotas.reserve(usd, call({ usd: 0.100001 })));
  taken(await quotas.reserve(usd, call({ usd: 0.1 })));
  const bytes = rules.slice(1, 2);
  const last = taken(await quotas.reserve(bytes, call()));
  refused(await quotas.reserve(bytes, call()));
  await quotas.settle(last, { bytes: 5_000, tokens: 0, usd: 0 });
  refused(await quotas.reserve(bytes, call()));
});

Deno.test("refund() after the end of a window changes nothing in the next one", async () => {
  const quotas = openQuotas();
  const rules = [limit({ id: "hourly", max: 1 })];
  try {
    const late = taken(await quotas.reserve(rules, call()));
    clock.time += HOUR_MS;
    taken(await quotas.reserve(rules, call()));
    await quotas.refund(late);
    refused(await quotas.reserve(rules, call()));
  } finally {
    clock.time = NOW;
  }
});

Deno.test("reserve() with over: ask names every limit to ask for, and passes what was granted", async () => {
  const quotas = openQuotas();
  const rules = [
    limit({ id: "ask-a", max: 1, over: "ask" }),
    limit({ id: "ask-b", max: 1, over: "ask" }),
    limit({ id: "calls", max: 3 }),
  ];
  taken(await quotas.reserve(rules, call()));
  const answer = refused(await quotas.reserve(rules, call()));
  assert.deepEqual(answer.rules.map(({ id }) => id), ["ask-a", "ask-b"]);
  refused(await quotas.reserve(rules, call({ granted: ["ask-a"] })));
  const granted = ["ask-a", "ask-b"];
  taken(await quotas.reserve(rules, call({ granted })));
  taken(await quotas.reserve(rules, call({ granted })));
  const denied = refused(await quotas.reserve(rules, call({ granted })));
  assert.equal(denied.rule.id, "calls", "a limit that denies comes before those that ask");
});

Deno.test("reserve() refuses while the store fails and gives back what it can", async () => {
  const store = createMemoryStore(() => clock.time);
  let failing = "second";
  const quotas = openQuotas({
    add(key, by, options) {
      if (failing !== "" && key.includes(failing)) return Promise.reject(new Error("disk"));
      return store.add(key, by, options);
    },
  });
  const rules = [limit({ id: "first", max: 1 }), limit({ id: "second", max: 1 })];
  await assert.rejects(quotas.reserve(rules, call()), /disk/);
  failing = "";
  taken(await quotas.reserve(rules, call()));
});

Deno.test("64 callers at once pass a limit of 1,000 exactly 1,000 times, over a file", async () => {
  const folder = await Deno.makeTempDir();
  const store = await openKvStore(`${folder}/quota.kv`, () => clock.time);
  try {
    const quotas = openQuotas(store);
    const rules = [
      limit({ id: "execution", per: "execution", everyMs: null, max: 1_000 }),
      limit({ id: "user", per: "user", max: 1_000 }),
      limit({ id: "money", max: 100, unit: "args.amount" }),
      limit({ id: "usd", max: 1_000, unit: "usd" }),
    ];
    let passed = 0;
    let refusals = 0;
    const caller = async (index: number) => {
      for (let attempt = 0; attempt < 20; attempt++) {
        const answer = await quotas.reserve(rules, call({ args: { amount: 0.1 }, usd: 0.5 }));
        if (!answer.ok) {
          refusals++;
          continue;
        }
        passed++;
        if (index % 2 === 0) {
          await quotas.settle(answer.reservation, { bytes: 10, tokens: 1, usd: 0.5 });
        }
      }
    };
    await Promise.all(Array.from({ length: 64 }, (_, index) => caller(index)));
    assert.equal(passed, 1_000);
    assert.equal(refusals, 280);
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("whatever callers do, no counter passes its bound and none goes below zero", async () => {
  const step = fc.record({
    what: fc.constantFrom("reserve", "refund", "settle"),
    amount: fc.oneof(fc.double({ min: 0, max: 5, noNaN: true }), fc.constantFrom(-1, NaN)),
    user: fc.constantFrom("ann", "bob"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const totals = new Map<string, number>();
      const store = createMemoryStore(() => clock.time);
      const quotas = openQuotas({
        async add(key, by, options) {
          const answer = await store.add(key, by, options);
          if (answer.ok) totals.set(key, (totals.get(key) ?? 0) + by);
          return answer;
        },
      });
      const rules = [
        limit({ id: "calls", per: "user", max: 6 }),
        limit({ id: "sum", max: 10, unit: "args.amount" }),
      ];
      const open: Reservation[] = [];
      let expected = 0;
      for (const { what, amount, user } of steps) {
        if (what === "reserve") {
          const principal = { issuer: "test", sub: user };
          const answer = await quotas.reserve(rules, call({ principal, args: { amount } }));
          if (answer.ok) {
            open.push(answer.reservation);
            expected += answer.reservation.entries.at(-1)?.by ?? 0;
          }
          continue;
        }
        const reservation = open.shift();
        if (reservation === undefined) continue;
        if (what === "settle") {
          await quotas.settle(reservation, { bytes: 1, tokens: 1, usd: 0 });
          continue;
        }
        await quotas.refund(reservation);
        expected -= reservation.entries.at(-1)?.by ?? 0;
      }
      for (const [key, total] of totals) {
        assert.ok(
          total >= 0 && total <= (key.includes("/sum/") ? 10_000_000 : 6),
          `${key} ${total}`,
        );
      }
      const sum = [...totals].find(([key]) => key.includes("/sum/"))?.[1] ?? 0;
      assert.equal(sum, expected);
    }),
    { numRuns: 100 },
  );
});
