import assert from "node:assert/strict";
import { queryAudit } from "../../src/audit/audit_query.ts";
import { openStore } from "../../src/store/open_store.ts";
import { type ServicePlace, withServicePlace } from "../fakes/service_place.ts";
import { runToolgate, type ServiceProcess } from "../fakes/service_process.ts";

/** An upstream whose standard error goes to the log at level debug: `LINES` lines at its start. */
const NOISY = `
  const lines = Number(Deno.args[0]);
  for (let line = 0; line < lines; line++) console.error("x".repeat(200));
  for await (const _ of Deno.stdin.readable);`;

async function withNoise(
  lines: number,
  use: (place: ServicePlace) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-noise-" });
  try {
    await Deno.writeTextFile(`${folder}/noisy.ts`, NOISY);
    const noisy = { command: Deno.execPath(), args: ["run", `${folder}/noisy.ts`, `${lines}`] };
    await withServicePlace(use, { mcpServers: { noisy } });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const DEBUG = { TOOLGATE_LOG: "debug" };

async function execute(service: ServiceProcess): Promise<unknown> {
  const response = await fetch(`${service.url}/api/v1/execute`, {
    method: "POST",
    headers: { authorization: `Bearer ${service.token}`, "content-type": "application/json" },
    body: JSON.stringify({ code: "return 6 * 7;" }),
    signal: AbortSignal.timeout(30_000),
  });
  return (await response.json() as { result?: unknown }).result;
}

/** SIGTERM ends it as it should: with exit code 0, and nothing left of the running service. */
async function assertStopsWell(service: ServiceProcess, { folder }: ServicePlace): Promise<void> {
  service.child.kill("SIGTERM");
  assert.equal((await service.child.status).code, 0);
  const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assert.deepEqual(left.filter((name) => /-wal$|-shm$|service\.json/.test(name)), []);
  const store = await openStore(`kv:${folder}/toolgate.kv`);
  const { records } = await queryAudit(store, { kind: "execution.end", limit: 10 });
  await store.close();
  assert.ok(records.length > 0, "what ran was recorded");
}

Deno.test("serve goes on, and stops as it should, when the readers of its output go", async () => {
  await withNoise(100, async (place) => {
    const service = await place.start({ printsTo: "pipe", env: DEBUG });
    await service.child.stdout.cancel();
    await service.child.stderr.cancel();
    assert.equal(await execute(service), 42);
    // Each reload is a line of the log.
    for (let line = 0; line < 20; line++) Deno.kill(service.pid, "SIGHUP");
    assert.equal(await execute(service), 42);
    await assertStopsWell(service, place);
  });
});

Deno.test("serve goes on when its output goes to a full disk", async () => {
  await withNoise(100, async (place) => {
    const within = ["sh", "-c", 'exec "$@" >/dev/full 2>&1', "sh"];
    const service = await place.start({ within, printsTo: "inherited", env: DEBUG });
    assert.equal(await execute(service), 42);
    await assertStopsWell(service, place);
  });
});

Deno.test("serve answers and stops while nobody reads its full log", async () => {
  // More than a pipe takes and more than the service keeps for a reader.
  await withNoise(20_000, async (place) => {
    const service = await place.start({ printsTo: "pipe", env: DEBUG });
    assert.equal(await execute(service), 42);
    await assertStopsWell(service, place);
    await service.child.stdout.cancel();
    await service.child.stderr.cancel();
  });
});

Deno.test("a command ends with exit code 0 when its reader goes, and with 1 when its disk is full", async () => {
  await withServicePlace(async ({ configFile }) => {
    const args = ["audit", "list", "--config", configFile, "--json"];
    const first = await runToolgate(["run", "-", "--config", configFile]);
    assert.equal(first.code, 0, first.stderr);
    const gone = 'exec 3>&1; { "$@"; echo "$?" >&3; } | true';
    const toNobody = await runToolgate(args, { within: ["sh", "-c", gone, "sh"] });
    assert.equal(toNobody.stdout, "0\n");
    const full = await runToolgate(args, { within: ["sh", "-c", 'exec "$@" >/dev/full', "sh"] });
    assert.equal(full.code, 1);
    assert.match(full.stderr, /No space left/);
  });
});
