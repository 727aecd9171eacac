import { type App, createApp } from "../../src/app.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import type { ExecutionResult } from "../../src/model/execution.ts";

/** The whole service in this process, by default over the built-in demo servers. */
export interface TestApp {
  readonly app: App;
  readonly folder: string;
  /** Sends a request to the API as the local operator, or with another token. */
  ask(method: string, path: string, body?: unknown, token?: string): Promise<Response>;
  /** The JSON body of a successful answer. */
  json<T>(method: string, path: string, body?: unknown, token?: string): Promise<T>;
  execute(code: string, options?: { readonly [name: string]: unknown }): Promise<ExecutionResult>;
}

/**
 * Runs a test against a service with its own store and folder, then closes it. Programs run at
 * level `realm`, whose hosts are the cheapest.
 *
 * @param config as in `toolgate.yaml`; `policy` is the text of a policy file.
 */
export async function withApp(
  config: { readonly policy?: string; readonly [key: string]: unknown },
  use: (test: TestApp) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-app-" });
  const { policy, ...rest } = config;
  if (policy !== undefined) await Deno.writeTextFile(`${folder}/policy.yaml`, policy);
  const source = "mcpServers" in config || "openapi" in config ? `${folder}/toolgate.yaml` : "demo";
  const app = await createApp({
    config: ConfigSchema.parse({
      server: { port: 0, drainMs: 200 },
      store: "memory:",
      sandbox: { warm: 1, isolation: "realm" },
      ...(policy === undefined ? {} : { policies: `${folder}/policy.yaml` }),
      ...rest,
    }),
    source,
    baseDir: folder,
    log: () => {},
  });
  const ask = (method: string, path: string, body?: unknown, token = app.localToken) =>
    app.fetch(
      new Request(`http://127.0.0.1/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  const json = async <T>(method: string, path: string, body?: unknown, token?: string) => {
    const response = await ask(method, path, body, token);
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    return JSON.parse(text) as T;
  };
  try {
    await use({
      app,
      folder,
      ask,
      json,
      execute: (code, options) => json("POST", "/execute", { code, ...options }),
    });
  } finally {
    await app.close();
    await Deno.remove(folder, { recursive: true });
  }
}
