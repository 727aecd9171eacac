import type { ChildCommand } from "./checker_child.ts";

export interface CheckerCommandOptions {
  /** The running executable (`Deno.execPath()`). */
  readonly executable: string;
  /** `Deno.build.standalone`: the executable is a compiled toolgate. */
  readonly standalone: boolean;
  /**
   * URL or path of the checker's program if it is not compiled in:
   * `src/checker/process/checker_host.ts` of a clone, or its bundle (`.js`), which is one file.
   */
  readonly program: string;
  /** Deno's cache folder, where a clone finds TypeScript. */
  readonly cacheDir: string | null;
}

/** The argument that turns the compiled binary into a checker. */
export const CHECKER_ARGUMENT = "__checker-host";

/**
 * Limits the JavaScript heap in megabytes; a check that needs more ends its process. The small
 * space for young objects makes the process 100 MB smaller, and a check a fifth slower.
 */
const V8_FLAGS = "--max-old-space-size=512,--max-semi-space-size=4";

/**
 * Makes the function that returns the command of the checker process: without any permission, and
 * without the service's environment.
 *
 * A compiled binary keeps the V8 flags of its compilation; there the watchdog bounds the memory.
 */
export function createCheckerCommand(options: CheckerCommandOptions): () => ChildCommand {
  const isBundle = !options.program.endsWith(".ts");
  const flags = [
    "--quiet",
    "--no-prompt",
    "--cached-only",
    `--v8-flags=${V8_FLAGS}`,
    ...(isBundle ? ["--no-config", "--no-lock", "--no-remote", "--no-npm", "--deny-import"] : []),
  ];
  const env = {
    NO_COLOR: "1",
    DENO_NO_PROMPT: "1",
    DENO_NO_UPDATE_CHECK: "1",
    ...(options.cacheDir === null ? {} : { DENO_DIR: options.cacheDir }),
  };
  return () => ({
    command: options.executable,
    args: options.standalone ? [CHECKER_ARGUMENT] : ["run", ...flags, options.program],
    env,
  });
}
