import assert from "node:assert/strict";
import type { Limits } from "../../src/model/limits.ts";
import { createHostCommand, denoCacheDir } from "../../src/sandbox/host/host_command.ts";
import {
  openSandboxPool,
  type SandboxPool,
  type SandboxPoolOptions,
} from "../../src/sandbox/pool/sandbox_pool.ts";
import type { SandboxProgram } from "../../src/sandbox/pool/waiting_program.ts";
import type { CallReply, SandboxCall } from "../../src/sandbox/run/sandbox_call.ts";
import type { SandboxOutcome } from "../../src/sandbox/run/outcome.ts";

/** The service's defaults, with shorter clocks. */
export const LIMITS: Limits = {
  wallTimeMs: 5_000,
  cpuTimeMs: 3_000,
  memoryMb: 128,
  toolCallsMax: 200,
  concurrentCallsMax: 16,
  toolArgumentBytesMax: 4_194_304,
  toolResultBytesMax: 33_554_432,
  resultBytesMax: 1_048_576,
  codeBytesMax: 262_144,
  logBytesMax: 65_536,
  concurrentExecutionsMax: 16,
};

export const hostCommand = createHostCommand({
  executable: Deno.execPath(),
  standalone: false,
  program: new URL("../../src/sandbox/host/host_main.ts", import.meta.url).pathname,
  cacheDir: denoCacheDir((name) => Deno.env.get(name)),
});

/** A pool of the real thing, small. */
export function openTestPool(options: Partial<SandboxPoolOptions> = {}): Promise<SandboxPool> {
  return openSandboxPool({
    isolation: "process",
    warm: 1,
    hostsMax: 4,
    queueMax: 64,
    require: [],
    limits: LIMITS,
    hostCommand,
    jitless: Deno.env.get("TOOLGATE_TEST_JIT") !== "1",
    log: () => {},
    ...options,
  });
}

export const NAMES = [
  { server: "math", tools: ["add", "obj", "echo"] },
  { server: "sys", tools: ["fail", "deny"] },
  { server: "slow", tools: ["wait", "never"] },
] as const;

/** A handful of tools. */
export async function callTestTool(call: SandboxCall): Promise<CallReply> {
  const args = call.args as Record<string, number>;
  const tool = `${call.server}.${call.tool}`;
  switch (tool) {
    case "math.add":
      return { ok: true, json: JSON.stringify(args.a! + args.b!) };
    case "math.obj":
      return { ok: true, json: '{"x":{"y":[1]}}' };
    case "math.echo":
      return { ok: true, json: JSON.stringify(call.args) };
    case "slow.wait":
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, args.ms ?? 50);
        call.signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        }, { once: true });
      });
      return { ok: true, json: "1" };
    case "slow.never":
      await new Promise<void>((resolve) =>
        call.signal.addEventListener("abort", () => resolve(), { once: true })
      );
      return { ok: true, json: "1" };
    case "sys.fail":
      return {
        ok: false,
        error: { code: "ERR_UPSTREAM", message: "nope", hint: "Do not call it", tool },
      };
    case "sys.deny":
      return {
        ok: false,
        error: { code: "ERR_POLICY_DENIED", message: "Denied", hint: "Ask for it", tool },
      };
    default:
      return {
        ok: false,
        error: { code: "ERR_TOOL_NOT_FOUND", message: `No tool ${tool}`, hint: "", tool },
      };
  }
}

export interface RunOptions {
  readonly limits?: Partial<Limits>;
  readonly principalKey?: string;
  readonly session?: string;
  readonly signal?: AbortSignal;
  readonly seed?: { epochMs: number; random: string };
  readonly names?: SandboxProgram["names"];
  readonly onCall?: (call: SandboxCall) => Promise<CallReply>;
}

/** Runs one program with the test tools. */
export function runCode(
  pool: SandboxPool,
  code: string,
  options: RunOptions = {},
): Promise<SandboxOutcome> {
  return pool.run(
    {
      principalKey: options.principalKey ?? "alice",
      session: options.session ?? null,
      code,
      limits: { ...LIMITS, ...options.limits },
      names: options.names ?? NAMES,
      seed: options.seed ?? null,
    },
    options.onCall ?? callTestTool,
    options.signal ?? new AbortController().signal,
  );
}

/** Opens a pool, hands it to `use` and closes it, whatever happens. */
export async function withPool(
  options: Partial<SandboxPoolOptions>,
  use: (pool: SandboxPool) => Promise<void>,
): Promise<void> {
  const pool = await openTestPool(options);
  try {
    await use(pool);
  } finally {
    await pool.close();
  }
}

/** Waits for something that happens soon. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - start < 60_000, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
