import assert from "node:assert/strict";
import { withServicePlace } from "../fakes/service_place.ts";
import { runToolgate, type ServiceProcess } from "../fakes/service_process.ts";

async function execute({ url, token }: ServiceProcess): Promise<string> {
  const response = await fetch(`${url}/api/v1/execute`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ code: "return 6 * 7;" }),
  });
  return await response.text();
}

/** Programs go on until one is refused; every answer before is one of a program that ran. */
async function untilRefused(service: ServiceProcess): Promise<string> {
  const until = performance.now() + 30_000;
  while (performance.now() < until) {
    const answer = await execute(service);
    if (!answer.includes('"result":42')) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail("The service went on");
}

for (
  const [what, damage] of Object.entries({
    "was deleted or moved": (path: string) => Deno.remove(path),
    "was replaced": async (path: string) => {
      await Deno.copyFile(path, `${path}.new`);
      await Deno.rename(`${path}.new`, path);
    },
    "was overwritten": (path: string) => Deno.writeTextFile(path, "x".repeat(100_000)),
  })
) {
  Deno.test(`a service whose store file ${what} takes no calls, says so, and is not started on nothing`, async () => {
    await withServicePlace(async ({ folder, configFile, start }) => {
      const path = `${folder}/toolgate.kv`;
      const service = await start({ printsTo: "pipe" });
      await service.child.stdout.cancel();
      const log = new Response(service.child.stderr).text();
      assert.match(await execute(service), /"result":42/);
      await damage(path);
      const refused = await untilRefused(service);
      assert.match(refused, /ERR_AUDIT_UNAVAILABLE|ERR_STORE/);
      assert.match(refused, new RegExp(`toolgate\\.kv.{0,9} ${what}`), refused);
      const ready = await fetch(`${service.url}/readyz`);
      assert.equal(ready.status, 503);
      const { store } = await ready.json() as { store: { ok: boolean; reason: string } };
      assert.equal(store.ok, false);
      assert.match(store.reason, new RegExp(what));
      const metrics = await (await fetch(`${service.url}/metrics`)).text();
      assert.match(metrics, /toolgate_store_ok 0/);
      const before = await Deno.readFile(path).catch(() => null);
      service.child.kill("SIGTERM");
      await service.child.status;
      assert.match(await log, new RegExp(`ERROR Cannot use the store: .*${what}`));
      assert.deepEqual(
        await Deno.readFile(path).catch(() => null),
        before,
        "it wrote nothing more",
      );

      const again = await runToolgate(["audit", "list", "--config", configFile, "--json"]);
      if (what === "was replaced") return assert.equal(again.code, 0, again.stderr);
      assert.equal(again.code, 4);
      assert.match(again.stderr, /it is not there, and|not a database/);
    });
  });
}
