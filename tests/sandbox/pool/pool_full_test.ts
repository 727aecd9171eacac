import assert from "node:assert/strict";
import type { GateError } from "../../../src/model/errors.ts";
import { ISOLATIONS } from "../../../src/sandbox/host/host_settings.ts";
import { hostCommand, LIMITS, openTestPool, runCode, until, withPool } from "../open_pool.ts";

/** A host command that counts how many hosts were started. */
function counting() {
  let started = 0;
  return {
    hostCommand: (settings: Parameters<typeof hostCommand>[0]) => {
      if (!settings.prime) started++;
      return hostCommand(settings);
    },
    started: () => started,
  };
}

Deno.test("a host is never shared between principals", async () => {
  for (const isolation of ISOLATIONS) {
    const counter = counting();
    await withPool({ isolation, warm: 0, workersPerHost: 4, ...counter }, async (pool) => {
      await runCode(pool, "return 1", { principalKey: "alice" });
      await runCode(pool, "return 1", { principalKey: "bob" });
      await runCode(pool, "return 1", { principalKey: "carol" });
      assert.ok(counter.started() >= 3, `${isolation}: ${counter.started()}`);
    });
  }
});

Deno.test("a kept host serves its principal again, until its Workers are used up", async () => {
  const counter = counting();
  await withPool({ isolation: "worker", warm: 0, workersPerHost: 3, ...counter }, async (pool) => {
    for (let turn = 0; turn < 3; turn++) await runCode(pool, "return 1");
    assert.equal(counter.started(), 1);
    await runCode(pool, "return 1");
    assert.equal(counter.started(), 2);
  });
});

Deno.test("a kept host ends after a limit, a leftover or an endless microtask", async () => {
  for (const isolation of ["worker", "realm"] as const) {
    const dirty = isolation === "worker" ? ["setTimeout(() => {}, 1e6); return 1"] : [
      "while (true) {}",
      "setTimeout(() => {}, 1e6); return 1",
      "tools.slow.never({}); return 1",
      "const again = () => Promise.resolve().then(again); again(); return 1",
      "for (;;) console.log('x'.repeat(1000))",
      "return 'x'.repeat(2e6)",
    ];
    for (const code of dirty) {
      const counter = counting();
      await withPool({ isolation, warm: 0, workersPerHost: 4, ...counter }, async (pool) => {
        await runCode(pool, code, { limits: { cpuTimeMs: 100 } });
        assert.equal((await runCode(pool, "return 1")).resultJson, "1");
        assert.equal(counter.started(), 2, `${isolation}: ${code}`);
      });
    }
  }
});

Deno.test("ordinary errors of programs do not cost a host", async () => {
  for (const isolation of ["worker", "realm"] as const) {
    const counter = counting();
    await withPool({ isolation, warm: 0, workersPerHost: 8, ...counter }, async (pool) => {
      for (
        const code of [
          "throw new Error('x')",
          "return (",
          "let x = ;",
          "await tools.sys.fail({})",
          "return 1n",
        ]
      ) {
        await runCode(pool, code);
      }
      assert.equal(counter.started(), 1);
    });
  }
});

Deno.test("a full queue answers with a retry time, and those who wait get their turn", async () => {
  const limits = { ...LIMITS, concurrentExecutionsMax: 2 };
  await withPool({ limits, queueMax: 2, hostsMax: 2, warm: 1 }, async (pool) => {
    const running = Array.from({ length: 4 }, () => runCode(pool, "await sleep(100); return 1"));
    running.forEach((run) => run.catch(() => {}));
    const refused = await runCode(pool, "return 1").then(() => null, (error: GateError) => error);
    assert.equal(refused?.code, "ERR_BUSY");
    assert.ok(refused!.retryAfterMs! >= 100 && refused!.retryAfterMs! <= 30_000);
    assert.match(refused!.hint, /Try again in \d+ ms/);
    assert.ok(pool.status().queued >= 2);
    const outcomes = await Promise.all(running);
    assert.deepEqual(outcomes.map((outcome) => outcome.resultJson), ["1", "1", "1", "1"]);
    assert.equal(pool.status().queued, 0);
  });
});

Deno.test("no more than concurrentExecutionsMax run at once", async () => {
  const limits = { ...LIMITS, concurrentExecutionsMax: 2 };
  await withPool({ limits, isolation: "realm", hostsMax: 4, warm: 2 }, async (pool) => {
    let active = 0;
    let most = 0;
    const two = Promise.withResolvers<void>();
    await Promise.all(Array.from({ length: 6 }, () =>
      runCode(pool, "return await tools.a.b()", {
        onCall: async () => {
          most = Math.max(most, ++active);
          if (active === 2) two.resolve();
          await two.promise;
          // A third one would come now.
          await new Promise((resolve) => setTimeout(resolve, 10));
          active--;
          return { ok: true, json: "1" };
        },
      })));
    assert.equal(most, 2);
  });
});

Deno.test("a crowd of one principal does not keep another waiting", async () => {
  const limits = { ...LIMITS, concurrentExecutionsMax: 4 };
  await withPool({ limits, isolation: "realm", hostsMax: 4, warm: 1 }, async (pool) => {
    await runCode(pool, "return 1", { principalKey: "bob" });
    const order: string[] = [];
    const crowd = Array.from(
      { length: 20 },
      () =>
        runCode(pool, "await sleep(30); return 1", { principalKey: "alice" })
          .then(() => order.push("alice")),
    );
    const bob = runCode(pool, "return 1", { principalKey: "bob" }).then(() => order.push("bob"));
    await Promise.all([...crowd, bob]);
    assert.ok(order.indexOf("bob") < 8, order.join());
  });
});

Deno.test("hosts that idle make room for another principal when the pool is full", async () => {
  await withPool({ isolation: "realm", hostsMax: 2, warm: 0 }, async (pool) => {
    for (const principalKey of ["a", "b", "c", "d"]) {
      assert.equal((await runCode(pool, "return 1", { principalKey })).resultJson, "1");
    }
    const { hosts } = pool.status();
    assert.ok(hosts.ready + hosts.busy + hosts.starting <= 2);
  });
});

Deno.test("the warm stock is filled up again, and not beyond hostsMax", async () => {
  await withPool({ isolation: "process", warm: 2, hostsMax: 3 }, async (pool) => {
    await until(() => pool.status().hosts.ready === 2, "two warm hosts");
    await Promise.all(Array.from({ length: 8 }, () => runCode(pool, "return 1")));
    await until(() => pool.status().hosts.ready === 2, "two warm hosts again");
    assert.equal(pool.status().running, 0);
  });
});

Deno.test("little free memory keeps the pool small, and one host always works", async () => {
  const counter = counting();
  await withPool(
    { isolation: "process", warm: 3, hostsMax: 8, freeMemoryMb: () => 10, ...counter },
    async (pool) => {
      assert.equal((await runCode(pool, "return 1")).resultJson, "1");
      assert.equal((await runCode(pool, "return 2")).resultJson, "2");
      const { hosts } = pool.status();
      assert.ok(hosts.ready + hosts.starting <= 1);
    },
  );
});

Deno.test("a host that is killed from outside is replaced", async () => {
  const pids: number[] = [];
  await withPool({ isolation: "realm", warm: 1, hostsMax: 2 }, async (pool) => {
    const running = runCode(pool, "await sleep(5000)");
    await until(() => pool.status().running === 1, "running");
    for (const pid of childrenOf(Deno.pid)) {
      pids.push(pid);
      Deno.kill(pid, "SIGKILL");
    }
    const outcome = await running;
    assert.equal(outcome.status, "error");
    assert.equal((await runCode(pool, "return 1")).resultJson, "1");
  });
  assert.ok(pids.length > 0 || Deno.build.os !== "linux");
});

Deno.test("close() ends running programs as cancelled and leaves no process", async () => {
  const pool = await openTestPool({ isolation: "worker", warm: 2, workersPerHost: 2 });
  const running = runCode(pool, "while (true) {}", {
    limits: { cpuTimeMs: 60_000, wallTimeMs: 60_000 },
  });
  await until(() => pool.status().running === 1, "running");
  await pool.close();
  assert.equal((await running).status, "cancelled");
  assert.deepEqual(childrenOf(Deno.pid), []);
  await assert.rejects(runCode(pool, "return 1"), { code: "ERR_SANDBOX_UNAVAILABLE" });
});

Deno.test("openSandboxPool() says so when no host starts", async () => {
  const logged: string[] = [];
  await assert.rejects(
    openTestPool({
      hostCommand: () => ({ command: "/bin/sh", args: ["-c", "echo broken >&2; exit 7"], env: {} }),
      log: (_level, message) => logged.push(message),
    }),
    { code: "ERR_SANDBOX_UNAVAILABLE" },
  );
  assert.match(logged[0]!, /Cannot start a sandbox host: .*ended with 7: broken/);
  await assert.rejects(
    openTestPool({ hostCommand: () => ({ command: "/nonexistent", args: [], env: {} }) }),
    { code: "ERR_SANDBOX_UNAVAILABLE" },
  );
});

/** Processes whose parent this is. */
function childrenOf(pid: number): number[] {
  if (Deno.build.os !== "linux") return [];
  const text = new Deno.Command("ps", { args: ["-o", "pid=,comm=", "--ppid", String(pid)] })
    .outputSync();
  return new TextDecoder().decode(text.stdout).trim().split("\n")
    .filter((line) => line !== "" && !line.endsWith("ps"))
    .map((line) => parseInt(line));
}
