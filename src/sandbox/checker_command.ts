import type { ChildCommand } from "./checker_child.ts";

/** Megabytes of JavaScript heap; a check that needs more ends its process. */
const HEAP_MB_MAX = 512;

/** The argument that makes the program itself the checker: `main.ts __checker-host`. */
export const CHECKER_ARGUMENT = "__checker-host";

const SOURCE_ENTRY = new URL("./checker_host.ts", import.meta.url);

/**
 * How to start the checker process: with no permission at all, and no environment.
 *
 * From source it is a module of its own. A compiled program runs itself again; V8's flags are then
 * those that were compiled in, and the watchdog inside bounds the memory.
 */
export function checkerCommand(): ChildCommand {
  const env = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
  if (Deno.build.standalone) {
    return { command: Deno.execPath(), args: [CHECKER_ARGUMENT], env };
  }
  const isSource = import.meta.url.endsWith("/src/sandbox/checker_command.ts");
  const entry = isSource ? [SOURCE_ENTRY.href] : [Deno.mainModule, CHECKER_ARGUMENT];
  return {
    command: Deno.execPath(),
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--cached-only",
      `--v8-flags=--max-old-space-size=${HEAP_MB_MAX}`,
      ...(isSource ? [] : ["--no-config", "--no-lock", "--no-npm", "--no-remote"]),
      ...entry,
    ],
    env,
  };
}
