/**
 * The service in its own process with few descriptors, against clients that mean it no good. The times
 * are the real ones: some of this takes a minute.
 */
import assert from "node:assert/strict";
import { type RawClient, rawClient } from "../fakes/raw_client.ts";
import { killService, type ServiceProcess, spawnService } from "../fakes/service_process.ts";

/** As the shell that starts a service does with `ulimit -n`. */
const FEW_DESCRIPTORS = ["bash", "-c", 'ulimit -n 700; exec "$@"', "bash"];
const SILENT = 900;
const UNFINISHED = 20;
const ENDED_WITHIN_MS = 70_000;
/** How long a probe of somebody else may take beside a hostile body, on a busy machine. */
const PROBE_MS_MAX = 400;

async function withService(use: (service: ServiceProcess) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-edge-" });
  const store = `${folder}/toolgate.kv`;
  const config = {
    server: { port: 0, drainMs: 500 },
    store: `kv:${store}`,
    preflight: "off",
    policies: "open",
    spaces: { classic: { mode: "classic" } },
    mcpServers: {},
  };
  await Deno.writeTextFile(`${folder}/toolgate.json`, JSON.stringify(config));
  const options = { within: FEW_DESCRIPTORS };
  const service = await spawnService(
    `${folder}/toolgate.json`,
    `${store}.service.json`,
    options,
  );
  try {
    await use(service);
  } finally {
    await killService(service);
    await Deno.remove(folder, { recursive: true });
  }
}

async function execute({ url, token }: ServiceProcess, code: string): Promise<unknown> {
  const response = await fetch(`${url}/api/v1/execute`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ code }),
    signal: AbortSignal.timeout(60_000),
  });
  return (await response.json()).result;
}

async function metric({ url, token }: ServiceProcess, name: string): Promise<number> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const line = (await response.text()).split("\n").find((line) => line.startsWith(`${name} `));
  return Number(line?.split(" ").at(-1));
}

const portOf = ({ url }: ServiceProcess) => Number(new URL(url).port);

Deno.test("900 connections that say nothing take no place from those that speak", async () => {
  await withService(async (service) => {
    const port = portOf(service);
    const clients = [];
    for (let index = 0; index < SILENT; index++) {
      clients.push(await rawClient(port, index % 2 === 0 ? "" : "GET / HTTP/1.1\r\nHost: loc"));
    }
    // While they are there, the store is written and programs run.
    assert.equal(await execute(service, "return 6 * 7"), 42);
    assert.ok(await metric(service, "toolgate_http_connections") < 600);
    assert.ok(await metric(service, 'toolgate_http_refused_total{reason="evicted"}') > 300);
    for (const client of clients) client.close();
    const health = await fetch(`${service.url}/healthz`, { signal: AbortSignal.timeout(5_000) });
    assert.equal((await health.json()).status, "ok");
    assert.equal(await execute(service, "return 6 * 7"), 42);
  });
});

Deno.test("headers and bodies that never end are ended in a minute, however they trickle", async () => {
  await withService(async (service) => {
    const port = portOf(service);
    const post = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
      `Authorization: Bearer ${service.token}\r\nContent-Length: 4000000\r\n\r\n`;
    const startedAt = performance.now();
    const headers: RawClient[] = [];
    const bodies: RawClient[] = [];
    for (let index = 0; index < UNFINISHED; index++) {
      headers.push(await rawClient(port, "GET / HTTP/1.1\r\nHost: loc"));
      bodies.push(await rawClient(port, `${post}{"a":"${"x".repeat(index * 10_000)}`));
    }
    const trickle = setInterval(() => {
      for (let index = 0; index < UNFINISHED; index += 2) {
        headers[index]?.send("a");
        // The last ones come at a rate that is enough, and have their whole minute.
        bodies[index]?.send(index > UNFINISHED / 2 ? "x".repeat(6_000) : "x");
      }
    }, 5_000);
    const answers = await Promise.all([...headers, ...bodies].map(({ ended }) => ended));
    const ms = performance.now() - startedAt;
    clearInterval(trickle);
    assert.ok(ms < ENDED_WITHIN_MS, `${ms} ms`);
    for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 408 /);
  });
});

Deno.test("deep and wide bodies never keep the probe of somebody else waiting", async () => {
  await withService(async (service) => {
    const call = (name: string, args: string) =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${args}}}`;
    const names = Array.from({ length: 300_000 }, (_, index) => `"k${index}":1`).join(",");
    const bodies: { readonly [name: string]: string } = {
      deepArray: "[".repeat(2_000_000) + "]".repeat(2_000_000),
      deepArguments: call("search", `${'{"a":'.repeat(690_000)}1${"}".repeat(690_000)}`),
      deepClassic: call("x", `{"x":${"[".repeat(1_900_000)}${"]".repeat(1_900_000)}}`),
      wide: call("search", `{${names}}`),
      wideArray: `[${"1,".repeat(2_000_000)}1]`,
      manyObjects: call("execute", `{"input":[${'{"a":1},'.repeat(400_000)}1]}`),
      batch: `[${Array.from({ length: 60_000 }, () => '{"jsonrpc":"2.0","method":"x"}').join()}]`,
      code: call("execute", JSON.stringify({ code: "x".repeat(4_000_000) })),
    };
    const quiet = await slowestProbe(service, 1_000);
    for (const [name, body] of Object.entries(bodies)) {
      const bytes = new TextEncoder().encode(body);
      const answer = fetch(`${service.url}/s/classic/mcp`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          authorization: `Bearer ${service.token}`,
        },
        body: bytes,
      }).then(async (response) => await response.text());
      const slowest = await slowestProbe(service, 1_000);
      const text = await answer;
      assert.ok(text.length < 4_000, `${name}: ${text.slice(0, 200)}`);
      assert.ok(slowest < Math.max(PROBE_MS_MAX, 10 * quiet), `${name}: ${slowest}, ${quiet}`);
    }
  });
});

/** The longest of many probes, in milliseconds. */
async function slowestProbe({ url }: ServiceProcess, forMs: number): Promise<number> {
  let slowest = 0;
  const until = performance.now() + forMs;
  while (performance.now() < until) {
    const startedAt = performance.now();
    const response = await fetch(`${url}/healthz`);
    await response.body?.cancel();
    slowest = Math.max(slowest, performance.now() - startedAt);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return slowest;
}
