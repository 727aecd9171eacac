import assert from "node:assert/strict";
import { withServicePlace } from "../fakes/service_place.ts";
import { killService, runToolgate, type ServiceProcess } from "../fakes/service_process.ts";

const HOUR_MS = 3_600_000;

/** From Debian's package `faketime`; without it this test fails, since nothing else moves a clock. */
async function libfaketime(): Promise<string> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", "ls /usr/lib/*/faketime/libfaketime.so.1"],
  }).output();
  const path = new TextDecoder().decode(stdout).trim();
  assert.notEqual(path, "", "The package faketime is not installed");
  return path;
}

async function execute({ url, token }: ServiceProcess): Promise<void> {
  const response = await fetch(`${url}/api/v1/execute`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ code: "return 6 * 7;" }),
  });
  assert.match(await response.text(), /"result":42/);
}

interface Clock {
  readonly aheadMs: number;
  readonly jumps: number;
  readonly lastJump: { readonly byMs: number } | null;
}

async function readClock({ url }: ServiceProcess): Promise<Clock> {
  const response = await fetch(`${url}/readyz`);
  assert.equal(response.status, 200, "a jump is not a reason to refuse calls");
  return (await response.json() as { clock: Clock }).clock;
}

Deno.test("a clock that is set back, over a restart, and forward keeps records in order and is told", async () => {
  const library = await libfaketime();
  await withServicePlace(async ({ folder, configFile, start }) => {
    const offset = `${folder}/offset`;
    const set = (text: string) => Deno.writeTextFile(offset, `${text}\n`);
    const within = [
      "env",
      `LD_PRELOAD=${library}`,
      `FAKETIME_TIMESTAMP_FILE=${offset}`,
      "FAKETIME_NO_CACHE=1",
      "DONT_FAKE_MONOTONIC=1",
    ];
    await set("+0");
    const first = await start({ within });
    await execute(first);
    assert.deepEqual((await readClock(first)).jumps, 0);

    await set("-3600");
    const back = await readClock(first);
    assert.ok(Math.abs((back.lastJump?.byMs ?? 0) + HOUR_MS) < 120_000, JSON.stringify(back));
    assert.ok(back.aheadMs > HOUR_MS / 2);
    await execute(first);
    await execute(first);
    await killService(first);

    const second = await start({ within });
    assert.ok((await readClock(second)).aheadMs > HOUR_MS / 2, "a restart changes nothing");
    await execute(second);
    const doctor = await runToolgate(["doctor", "--config", configFile], { within });
    assert.match(doctor.stdout, /clock .*set back: records are \d+ s ahead of it/);

    await set("+86400");
    assert.ok(((await readClock(second)).lastJump?.byMs ?? 0) > 24 * HOUR_MS);
    await execute(second);
    const { stdout } = await runToolgate(
      ["audit", "list", "--config", configFile, "--json", "--limit", "200"],
      { within },
    );
    const records: { ts: string; kind: string; ms?: { total: number } }[] = stdout.trim()
      .split("\n").map((line) => JSON.parse(line));
    const times = records.map(({ ts }) => Date.parse(ts)).reverse();
    assert.ok(times.every((time, index) => time >= (times[index - 1] ?? 0)));
    assert.ok(records.every(({ ms }) => ms === undefined || (ms.total >= 0 && ms.total < HOUR_MS)));
    const starts = records.filter(({ kind }) => kind === "execution.start");
    assert.ok(starts.length >= 5, "all of them are recorded");
    assert.equal(new Set(starts.map(({ ts }) => ts)).size, starts.length, "no time stands still");
    const verified = await runToolgate(["audit", "verify", "--config", configFile], { within });
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    await killService(second);
  });
});
