import assert from "node:assert/strict";
import { createApp } from "../../src/app.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { startHttpMcpServer } from "../fakes/http_mcp_server.ts";

const SECRET = "s3cr3t-Zq9vK2mPx7-planted";

/** Every file below a folder, as bytes. */
async function readAll(folder: string): Promise<{ path: string; text: string }[]> {
  const files: { path: string; text: string }[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) files.push(...await readAll(path));
    else files.push({ path, text: new TextDecoder("latin1").decode(await Deno.readFile(path)) });
  }
  return files;
}

Deno.test("an upstream's secret reaches the upstream and nothing else that a run writes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-secrets-" });
  const data = `${folder}/data`;
  const secretFile = `${folder}/token`;
  await Deno.writeTextFile(secretFile, SECRET);
  const answers: string[] = [];
  await using upstream = startHttpMcpServer("stateless", {
    // The upstream itself misbehaves: it repeats the credential in its errors.
    accept: (request) =>
      request.headers.get("x-trouble") === null
        ? null
        : new Response(`bad token ${request.headers.get("authorization")}`, { status: 500 }),
  });
  const reference = `Bearer \${file:${secretFile}}`;
  const app = await createApp({
    config: ConfigSchema.parse({
      server: { port: 0, drainMs: 100 },
      store: `kv:${data}/toolgate.kv`,
      policies: "open",
      mcpServers: {
        good: { url: upstream.url, headers: { Authorization: reference } },
        trouble: { url: upstream.url, headers: { Authorization: reference, "x-trouble": "1" } },
        nowhere: { url: "http://127.0.0.1:9/mcp", headers: { Authorization: reference } },
        child: {
          command: "sh",
          args: ["-c", "echo no >&2; exit 3"],
          env: { TOKEN: `\${file:${secretFile}}` },
        },
      },
    }),
    source: `${folder}/toolgate.yaml`,
    baseDir: folder,
    log: (...line) => answers.push(JSON.stringify(line)),
  });
  try {
    const { url } = await app.listen();
    const ask = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${app.localToken}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      answers.push(await response.text());
    };
    await ask("POST", "/execute", {
      code: `const out = [];
        for (const server of ["good", "trouble", "nowhere", "child"]) {
          try { out.push(await tools[server].echo({ text: "x" })); } catch (error) { out.push(String(error), error.stack); }
        }
        return out;`,
    });
    for (const path of ["/tools", "/health", "/audit?limit=1000", "/policy", "/types"]) {
      await ask("GET", path);
    }
    const metrics = await fetch(`${url}/metrics`);
    answers.push(await metrics.text());
  } finally {
    await app.close();
  }
  try {
    assert.ok(
      upstream.requests.some(({ headers }) => headers.get("authorization") === `Bearer ${SECRET}`),
      "the credential should have reached the upstream",
    );
    assert.deepEqual(answers.filter((text) => text.includes(SECRET)), []);
    const written = await readAll(data);
    assert.ok(written.length > 0);
    assert.deepEqual(
      written.filter(({ text }) => text.includes(SECRET)).map(({ path }) => path),
      [],
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
