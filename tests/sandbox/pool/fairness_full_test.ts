/** Programs of the same principal beside its hostile ones: who waits for whom. */
import assert from "node:assert/strict";
import { ISOLATIONS } from "../../../src/sandbox/host/host_settings.ts";
import type { SandboxPool } from "../../../src/sandbox/pool/sandbox_pool.ts";
import { hostCommand, LIMITS, runCode, type RunOptions, until, withPool } from "../open_pool.ts";

const ENDLESS = "for (;;);";
const SHORT = { wallTimeMs: 300, cpuTimeMs: 300 };
const LONG = { wallTimeMs: 60_000, cpuTimeMs: 50_000 };
const POOL = { warm: 1, hostsMax: 8, workersPerHost: 2 };

/** Programs that go on until `stop`, and how many of them have ended before. */
function startEndless(pool: SandboxPool, codes: readonly string[], options: RunOptions = {}) {
  const stop = new AbortController();
  let ended = 0;
  const all = Promise.all(codes.map(async (code) => {
    await runCode(pool, code, { limits: LONG, signal: stop.signal, ...options }).catch(() => {});
    ended++;
  }));
  return {
    ended: () => ended,
    async stop() {
      stop.abort();
      await all;
    },
  };
}

async function strikeTwice(pool: SandboxPool, code: string): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    const outcome = await runCode(pool, code, { limits: SHORT });
    assert.equal(outcome.status, "timeout");
  }
}

for (const isolation of ISOLATIONS) {
  Deno.test(`an innocent program of the same key ends before any endless one at level ${isolation}`, async () => {
    await withPool({ isolation, ...POOL }, async (pool) => {
      const first = startEndless(pool, [ENDLESS]);
      assert.equal((await runCode(pool, "return 1")).resultJson, "1");
      assert.equal(first.ended(), 0, "beside one, before strikes");
      await first.stop();

      await strikeTwice(pool, ENDLESS);
      const three = startEndless(pool, [ENDLESS, ENDLESS, ENDLESS]);
      for (
        const code of ["return 1", "return 1 // a first time", "return await tools.math.obj()"]
      ) {
        assert.equal((await runCode(pool, code)).status, "ok");
      }
      assert.equal(three.ended(), 0, "beside three, after strikes");
      await three.stop();

      const sleeper = startEndless(pool, ["await sleep(50_000)"]);
      assert.equal((await runCode(pool, "return 2")).resultJson, "2");
      assert.equal(sleeper.ended(), 0, "beside one that sleeps");
      await sleeper.stop();
    });
  });
}

Deno.test("a first program does not wait behind others of a session that keeps misbehaving", async () => {
  await withPool({ isolation: "worker", ...POOL, hostsMax: 16 }, async (pool) => {
    for (let turn = 0; turn < 4; turn++) {
      await runCode(pool, `${ENDLESS} // ${turn}`, { limits: SHORT, session: "bad" });
    }
    const varied = [5, 6, 7].map((turn) => `${ENDLESS} // ${turn}`);
    const endless = startEndless(pool, varied, { session: "bad" });
    assert.equal((await runCode(pool, "return 1", { session: "bad" })).resultJson, "1");
    assert.equal((await runCode(pool, "return 2", { session: "good" })).resultJson, "2");
    assert.equal(endless.ended(), 0);
    await endless.stop();
  });
});

Deno.test("hosts of struck programs are bounded, stand back, and come from no stock", async () => {
  const started: { niceness: number; workers: number }[] = [];
  await withPool({
    isolation: "worker",
    ...POOL,
    hostsMax: 16,
    hostCommand: (settings) => {
      if (!settings.prime) started.push(settings);
      return hostCommand(settings);
    },
  }, async (pool) => {
    await strikeTwice(pool, ENDLESS);
    const before = started.filter(({ niceness }) => niceness === 0).length;
    const endless = startEndless(pool, Array.from({ length: 6 }, () => ENDLESS));
    await until(() => pool.status().running === 2, "two of six run");
    for (let turn = 0; turn < 10; turn++) await runCode(pool, `await sleep(50); return ${turn}`);
    assert.equal(endless.ended(), 0);
    assert.equal(pool.status().running, 2, "no more than two of six run");
    const slow = started.filter(({ niceness }) => niceness > 0);
    assert.deepEqual(slow.map(({ niceness, workers }) => [niceness, workers]), [[10, 1], [10, 1]]);
    assert.ok(started.length - slow.length > before, "the innocent had common hosts");
    await endless.stop();
  });
});

Deno.test("a struck program gets a host where the stock fills the pool", async () => {
  for (const hostsMax of [1, 2]) {
    await withPool({ isolation: "realm", warm: 2, hostsMax }, async (pool) => {
      await strikeTwice(pool, ENDLESS);
      await strikeTwice(pool, ENDLESS);
      assert.equal((await runCode(pool, "return 1")).resultJson, "1");
    });
  }
});

Deno.test("a lane whose hosts do not start refuses its own programs only", async () => {
  await withPool({
    isolation: "realm",
    ...POOL,
    hostCommand: (settings) =>
      settings.niceness === 0
        ? hostCommand(settings)
        : { command: "/bin/sh", args: ["-c", "exit 7"], env: {} },
  }, async (pool) => {
    await strikeTwice(pool, ENDLESS);
    const struck = runCode(pool, ENDLESS);
    struck.catch(() => {});
    for (let turn = 0; turn < 5; turn++) {
      assert.equal((await runCode(pool, `await sleep(50); return ${turn}`)).status, "ok");
    }
    await assert.rejects(struck, { code: "ERR_SANDBOX_UNAVAILABLE" });
    assert.equal((await runCode(pool, "return 1")).resultJson, "1");
  });
});

Deno.test("endless programs of one key leave places for those of its programs that are known to end", async () => {
  const limits = { ...LIMITS, concurrentExecutionsMax: 4 };
  await withPool({ isolation: "realm", warm: 1, hostsMax: 4, limits }, async (pool) => {
    assert.equal((await runCode(pool, "return 1")).resultJson, "1");
    await runCode(pool, ENDLESS, { limits: SHORT });
    const codes = Array.from({ length: 8 }, (_, turn) => `${ENDLESS} // ${turn}`);
    const endless = startEndless(pool, codes);
    assert.equal((await runCode(pool, "return 1")).resultJson, "1");
    assert.equal(endless.ended(), 0);
    await endless.stop();
  });
});

Deno.test("endless programs of one session leave places for the other sessions of the key", async () => {
  const limits = { ...LIMITS, concurrentExecutionsMax: 4 };
  await withPool({ isolation: "realm", warm: 1, hostsMax: 4, limits }, async (pool) => {
    await runCode(pool, "return 1", { session: "good" });
    const codes = Array.from({ length: 8 }, (_, turn) => `${ENDLESS} // ${turn}`);
    const endless = startEndless(pool, codes, { session: "bad" });
    await until(() => pool.status().running === 3, "three of four places");
    for (const code of ["return 2", "return 3"]) {
      assert.equal((await runCode(pool, code, { session: "good" })).status, "ok");
    }
    assert.equal(endless.ended(), 0);
    await endless.stop();
  });
});

Deno.test("a principal alone may have every place", async () => {
  const limits = { ...LIMITS, concurrentExecutionsMax: 4 };
  await withPool({ isolation: "realm", warm: 1, hostsMax: 4, limits }, async (pool) => {
    await runCode(pool, "return 1");
    const sleeping = startEndless(pool, Array.from({ length: 5 }, () => "await sleep(50_000)"));
    await until(() => pool.status().running === 4, "all places");
    await sleeping.stop();
  });
});

Deno.test("a session that fills the queue gives a place in it to another session", async () => {
  const limits = { ...LIMITS, concurrentExecutionsMax: 1 };
  await withPool(
    { isolation: "realm", warm: 1, hostsMax: 1, queueMax: 3, limits },
    async (pool) => {
      const order: string[] = [];
      const crowd = [1, 2, 3, 4].map((turn) =>
        runCode(pool, `await sleep(300); return ${turn}`, { session: "crowd" })
          .then(() => order.push(`crowd ${turn}`), (error) => order.push(error.code))
      );
      await new Promise((resolve) => setTimeout(resolve, 0));
      assert.equal(pool.status().queued, 3);
      const own = await runCode(pool, "return 5", { session: "own" });
      assert.equal(own.resultJson, "5");
      await Promise.all(crowd);
      assert.deepEqual(order, ["ERR_BUSY", "crowd 1", "crowd 2", "crowd 3"]);
      assert.equal(pool.status().queued, 0);
    },
  );
});

/** Niceness of every thread of every process that this one has started, by process. */
function nicenessOfHosts(): number[][] {
  const list = new Deno.Command("ps", {
    args: ["-L", "-o", "pid=,ni=,comm=", "--ppid", `${Deno.pid}`],
  });
  const hosts = new Map<string, number[]>();
  for (const line of new TextDecoder().decode(list.outputSync().stdout).trim().split("\n")) {
    const [pid = "", niceness, name] = line.trim().split(/\s+/);
    if (name !== "ps") hosts.set(pid, [...hosts.get(pid) ?? [], Number(niceness)]);
  }
  return [...hosts.values()];
}

/** Elsewhere there is no kernel layer that could. */
const isLinux = Deno.build.os === "linux";

for (const isolation of isLinux ? ISOLATIONS : []) {
  Deno.test(`a program that computes for long stands back before any strike at level ${isolation}`, async () => {
    await withPool({ isolation, ...POOL }, async (pool) => {
      const endless = startEndless(pool, [ENDLESS]);
      await until(
        () => nicenessOfHosts().some((threads) => threads.every((niceness) => niceness === 10)),
        "all threads of the host stand back",
      );
      const others = nicenessOfHosts().filter((threads) => threads.some((at) => at !== 10));
      assert.ok(others.length >= 1, "the stock does not");
      assert.ok(others.flat().every((niceness) => niceness === 0));
      assert.equal((await runCode(pool, "return 1")).resultJson, "1");
      assert.equal(endless.ended(), 0);
      await endless.stop();
    });
  });
}

Deno.test("a host that stood back runs no other program", async () => {
  let started = 0;
  await withPool({
    isolation: "realm",
    warm: 0,
    hostCommand: (settings) => {
      if (!settings.prime) started++;
      return hostCommand(settings);
    },
  }, async (pool) => {
    for (let turn = 0; turn < 2; turn++) await runCode(pool, "return 1");
    assert.equal(started, 1);
    const code = "let sum = 0; for (let i = 0; i < 1e8; i++) sum += i; return 1";
    assert.equal((await runCode(pool, code, { limits: LONG })).resultJson, "1");
    assert.equal((await runCode(pool, "return 1")).resultJson, "1");
    assert.equal(started, isLinux ? 2 : 1);
  });
});
