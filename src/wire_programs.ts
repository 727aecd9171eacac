import { type Checker, openChecker } from "./checker/checker.ts";
import { createCheckerCommand } from "./checker/checker_command.ts";
import type { Config } from "./config/schema.ts";
import type { Log } from "./model/log.ts";
import { openOnce } from "./model/time/open_once.ts";
import { createHostCommand, denoCacheDir } from "./sandbox/host/host_command.ts";
import {
  openSandboxPool,
  type SandboxPool,
  type SandboxStatus,
} from "./sandbox/pool/sandbox_pool.ts";

/** The checker and the sandbox that programs need, each in child processes. */
export interface Programs {
  readonly checker: Checker;
  /** Starts the checker before a program waits for it; never fails. */
  readonly warmChecker: () => void;
  /** The sandbox; opened at its first use. */
  readonly sandbox: () => Promise<SandboxPool>;
  readonly run: SandboxPool["run"];
  /** Null before the sandbox is opened. */
  readonly sandboxStatus: () => SandboxStatus | null;
  close(): Promise<void>;
}

export interface ProgramsDeps {
  readonly config: Pick<Config, "sandbox" | "limits" | "preflight">;
  readonly env: () => { readonly [name: string]: string };
  readonly log: Log;
}

/** Wires the child processes, which start at their first use. */
export function wirePrograms({ config, env, log }: ProgramsDeps): Programs {
  const child = {
    executable: Deno.execPath(),
    standalone: Deno.build.standalone,
    cacheDir: denoCacheDir((name) => env()[name]),
  };
  const pool = openOnce(() =>
    openSandboxPool({
      ...config.sandbox,
      limits: config.limits,
      hostCommand: createHostCommand({ ...child, program: programOf("host") }),
      log,
    })
  );
  const checker = openChecker({
    command: createCheckerCommand({ ...child, program: programOf("checker") }),
    log,
  });
  const warmed = openOnce(() => checker.check("return 0;", ""));
  return {
    checker,
    warmChecker() {
      if (config.preflight === "off") return;
      warmed.get().catch((error) => log("warn", "Cannot start the checker", { cause: `${error}` }));
    },
    sandbox: pool.get,
    run: async (...run) => await (await pool.get()).run(...run),
    sandboxStatus: () => pool.current()?.status() ?? null,
    async close() {
      await checker.close();
      await (await pool.settled())?.close();
    },
  };
}

/**
 * The program of a child process: a module of the source tree, or a file beside a packed bundle.
 */
function programOf(child: "host" | "checker"): string {
  const isSource = import.meta.url.endsWith("/src/wire_programs.ts");
  const sources = { host: "sandbox/host/host_main.ts", checker: "checker/process/checker_host.ts" };
  const bundles = { host: "sandbox_host.js", checker: "checker_host.js" };
  return new URL(isSource ? sources[child] : bundles[child], import.meta.url).href;
}
