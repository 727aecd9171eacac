import assert from "node:assert/strict";
import type { SinkStatus } from "../../../src/audit/ship/ship_line.ts";
import { withApp } from "../../fakes/app.ts";

/** A port that nothing listens on. */
function closedPort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

Deno.test("a sink that is away is told in /readyz, the metrics, the console and doctor's report", async () => {
  const port = closedPort();
  const to = `http://127.0.0.1:${port}/in?token=s3cret`;
  await withApp({ audit: { ship: [{ to, every: "100ms" }] } }, async ({ app, json }) => {
    await app.listen();
    const ask = async (path: string) => {
      const response = await app.fetch(new Request(`http://127.0.0.1${path}`));
      return await response.text();
    };
    const shippingOf = async () => {
      const { shipping, alarms } = JSON.parse(await ask("/readyz"));
      return { sink: shipping[0] as SinkStatus, alarms };
    };
    for (let tries = 0; (await shippingOf()).sink.error === null; tries++) {
      assert.ok(tries < 600, "no failure within 30 s");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { sink, alarms } = await shippingOf();
    assert.equal(sink.error, "it refuses connections");
    assert.equal(sink.to, `http://127.0.0.1:${port}/in`);
    assert.ok(sink.behind > 0 && sink.oldestSeconds !== null, JSON.stringify(sink));
    assert.deepEqual(alarms, []);
    const metrics = await ask("/metrics");
    assert.match(metrics, /^toolgate_audit_ship_behind_records\{sink="audit\.ship\[0\]"\} [1-9]/m);
    assert.match(metrics, /^toolgate_audit_ship_late\{sink="audit\.ship\[0\]"\} 0$/m);
    assert.match(
      metrics,
      /^toolgate_audit_ship_error\{sink="audit\.ship\[0\]",reason="it refuses connections"\} 1$/m,
    );
    const page = await ask("/console/audit");
    assert.match(page, /id="shipping"[\s\S]*failing[\s\S]*it refuses connections/);
    const report = await json<{ shipping: SinkStatus[] }>("GET", "/health");
    assert.equal(report.shipping[0]?.error, "it refuses connections");
    for (const text of [metrics, page, await ask("/readyz")]) assert.ok(!text.includes("s3cret"));
  });
});

Deno.test("/readyz tells no address of a sink where log-in is needed", async () => {
  const to = `http://127.0.0.1:${closedPort()}/in`;
  await withApp({ auth: "keys", audit: { ship: [{ to, every: "1h" }] } }, async ({ app }) => {
    await app.listen();
    const response = await app.fetch(new Request("http://127.0.0.1/readyz"));
    const { shipping: [sink] } = await response.json();
    assert.deepEqual([sink.sink, sink.to], ["audit.ship[0]", undefined]);
  });
});
