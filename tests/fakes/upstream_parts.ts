import { configuredUpstreams } from "../../src/config/configured_upstreams.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import type { Log } from "../../src/model/log.ts";
import type { Principal } from "../../src/model/principal.ts";
import type { UpstreamCall } from "../../src/model/upstream.ts";
import { openUpstreams, type Upstreams } from "../../src/upstream/upstreams.ts";

export const ANNA: Principal = {
  sub: "anna",
  issuer: "keys",
  client: "k1",
  claims: {},
  scopes: ["search", "execute"],
  spaces: null,
};

/** A call with default values for everything that a test does not set. */
export function callOf(
  server: string,
  name: string,
  args: UpstreamCall["args"] = {},
  more: Partial<UpstreamCall> = {},
): UpstreamCall {
  return {
    server,
    name,
    kind: "tool",
    args,
    principal: ANNA,
    idempotencyKey: "execution:0",
    traceparent: null,
    resultBytesMax: 33_554_432,
    signal: new AbortController().signal,
    ...more,
  };
}

export interface OpenedUpstreams extends Upstreams, AsyncDisposable {
  /** Every logged line, as JSON. */
  readonly logged: string[];
}

/** Opens upstreams from a configuration as users write it. Use with `await using`. */
export function openTestUpstreams(
  input: { mcpServers?: unknown; openapi?: unknown },
  more: Partial<Parameters<typeof openUpstreams>[0]> = {},
): OpenedUpstreams {
  const config = ConfigSchema.parse(input);
  const logged: string[] = [];
  const log: Log = (level, message, fields) =>
    logged.push(JSON.stringify({ level, message, ...fields }));
  const upstreams = openUpstreams({
    upstreams: configuredUpstreams(config),
    demo: false,
    baseDir: Deno.cwd(),
    resolveSecrets: (text) =>
      Promise.resolve(text.replaceAll("${env:SECRET}", "s3cret-value-1234")),
    env: () => Deno.env.toObject(),
    log,
    ...more,
  });
  return { ...upstreams, logged, [Symbol.asyncDispose]: () => upstreams.close() };
}

/** The stdio server that misbehaves on demand, as a configuration. */
export function rawServer(journal: string, more: { [key: string]: unknown } = {}) {
  return {
    command: Deno.execPath(),
    args: [
      "run",
      "--no-prompt",
      "--no-config",
      "-A",
      new URL("./raw_stdio_server.ts", import.meta.url).pathname,
      journal,
    ],
    ...more,
  };
}

/** A journal file for a server, removed at the end of the block. */
export function temporaryJournal(): { readonly path: string } & Disposable {
  const path = Deno.makeTempFileSync({ prefix: "toolgate-upstream-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path) };
}

/** The lines that the server has written so far. */
export async function readJournal(path: string): Promise<{ [key: string]: unknown }[]> {
  const text = await Deno.readTextFile(path).catch(() => "");
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Waits until a condition holds; fails after 10 s. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | null | undefined | false> | T | null | undefined | false,
): Promise<T> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const value = await condition();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Waited in vain until ${what}`);
}

/** False for a process that is gone or a zombie. */
export async function isAlive(pid: number): Promise<boolean> {
  // Through a child: Deno itself reads /proc only with all permissions.
  const [command, args] = Deno.build.os === "linux"
    ? ["cat", [`/proc/${pid}/stat`]] as const
    : ["ps", ["-o", "stat=", "-p", String(pid)]] as const;
  const { success, stdout } = await new Deno.Command(command, { args: [...args], stderr: "null" })
    .output();
  const state = new TextDecoder().decode(stdout).replace(/^.*\) /s, "").trim();
  return success && state !== "" && !/^[ZX]/.test(state);
}
