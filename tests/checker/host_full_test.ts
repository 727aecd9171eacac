import { ok, strictEqual } from "node:assert/strict";
import { createCheckerCommand } from "../../src/checker/checker_command.ts";
import { CHECKER_FRAME } from "../../src/checker/protocol.ts";
import { encodeFrame } from "../../src/rpc/frames.ts";
import { sourceCommand } from "./fixtures/checker_command_fixture.ts";

const LOOP =
  `type P<T, K = T> = [T] extends [never] ? [] : K extends K ? [K, ...P<Exclude<T, K>>] : never;
let x!: P<"a" | "b" | "c" | "d" | "e" | "f" | "g" | "h" | "i">; return x;`;

function startHost() {
  const { command, args, env } = sourceCommand();
  return new Deno.Command(command, {
    args,
    env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

function checkFrame(code: string, budgetMs: number): Uint8Array {
  const request = JSON.stringify({ code, declarations: "", budgetMs });
  return encodeFrame(CHECKER_FRAME.check, 1, new TextEncoder().encode(request));
}

Deno.test("the checker ends with its input", async () => {
  const host = startHost();
  await host.stdin.close();
  const { code, stdout } = await host.output();
  strictEqual(code, 0);
  strictEqual(stdout[4], CHECKER_FRAME.ready);
});

Deno.test("the checker ends itself when nobody stops a check that takes too long", async () => {
  const host = startHost();
  const output = host.stdout.getReader();
  ok((await output.read()).value !== undefined);
  const writer = host.stdin.getWriter();
  await writer.write(checkFrame(LOOP, 200));
  // As if the service were gone: it neither reads nor kills, and its end of the pipe is closed.
  await writer.close();
  const start = performance.now();
  strictEqual((await host.status).signal, "SIGKILL");
  ok(performance.now() - start < 10_000);
  await output.cancel();
});

Deno.test("the checker ends at a frame that it does not know", async () => {
  const host = startHost();
  const writer = host.stdin.getWriter();
  await writer.write(encodeFrame(1, 1, new Uint8Array(0)));
  const { code } = await host.output();
  strictEqual(code, 0);
  await writer.abort().catch(() => {});
});

Deno.test("createCheckerCommand() gives the checker no permission and nothing to fetch", () => {
  const options = { executable: "/bin/deno", standalone: false, cacheDir: "/cache" };
  const source = createCheckerCommand({ ...options, program: "file:///a/checker_host.ts" })();
  const bundle = createCheckerCommand({ ...options, program: "file:///a/checker_host.js" })();
  for (const { args, env } of [source, bundle]) {
    ok(args.every((argument) => !/^(?:-A|--allow)/.test(argument)));
    ok(args.includes("--no-prompt") && args.includes("--cached-only"));
    ok(args.some((argument) => /^--v8-flags=.*--max-old-space-size=512\b/.test(argument)));
    strictEqual(env.DENO_DIR, "/cache");
  }
  ok(bundle.args.includes("--no-remote") && bundle.args.includes("--no-npm"));
  const compiled = createCheckerCommand({ ...options, standalone: true, program: "" })();
  strictEqual(compiled.args.join(), "__checker-host");
});
