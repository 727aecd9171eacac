import type { HostSettings } from "./host_settings.ts";

/** How to start a sandbox host. */
export interface HostCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the host. */
  readonly env: { readonly [name: string]: string };
  /** True if compiled code is cached between hosts, so that priming the cache pays. */
  readonly cached?: boolean;
}

export interface HostCommandOptions {
  /** The running executable (`Deno.execPath()`). */
  readonly executable: string;
  /** `Deno.build.standalone`: the executable is a compiled toolgate. */
  readonly standalone: boolean;
  /**
   * URL or path of the host's program when it is not compiled in: `src/sandbox/host/host_main.ts`
   * of a clone, or the `sandbox_host.js` beside a packed bundle.
   */
  readonly program: string;
  /**
   * Deno's cache folder. Hosts have their own folder inside it: they cache their own, trusted code
   * there, and close it before they lock themselves in.
   */
  readonly cacheDir: string | null;
}

/** Deno's cache folder in this environment; null if unknown. @see Deno, `DENO_DIR` */
export function denoCacheDir(env: (name: string) => string | undefined): string | null {
  const own = env("DENO_DIR");
  if (own !== undefined && own !== "") return own;
  const cache = env("XDG_CACHE_HOME");
  if (cache !== undefined && cache !== "") return `${cache}/deno`;
  const home = env("HOME");
  return home === undefined || home === "" ? null : `${home}/.cache/deno`;
}

/** The argument that turns the compiled binary into a sandbox host. */
export const HOST_ARGUMENT = "__sandbox-host";

/** Makes the function that gives the start command of a host for its settings. */
export function createHostCommand(
  options: HostCommandOptions,
): (settings: HostSettings) => HostCommand {
  return (settings) => {
    // The V8 flags of a compiled binary are fixed at compilation, and allow machine code.
    const argument = JSON.stringify(
      options.standalone ? { ...settings, jitless: false } : settings,
    );
    return {
      command: options.executable,
      args: options.standalone
        ? [HOST_ARGUMENT, argument]
        : [...runArguments(settings), options.program, argument],
      env: environment(options),
      cached: !options.standalone,
    };
  };
}

/**
 * Flags of `deno run`: no remote code, no config file, no prompts. The kernel layer needs `ffi`;
 * the host revokes it with all other permissions before the first program arrives.
 */
function runArguments(settings: HostSettings): string[] {
  return [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--cached-only",
    "--deny-import",
    "--unstable-worker-options",
    ...(settings.kernel.enabled ? ["--allow-ffi"] : []),
    `--v8-flags=${v8Flags(settings).join(",")}`,
  ];
}

function v8Flags(settings: HostSettings): string[] {
  return [
    `--max-old-space-size=${settings.memoryMb}`,
    // Fewer garbage collections while a Worker starts.
    "--min-semi-space-size=8",
    "--stack-size=900",
    "--disallow-code-generation-from-strings",
    ...(settings.jitless ? ["--jitless"] : []),
  ];
}

/** The host's environment: no certificates, proxies or secrets of the service. */
function environment(options: HostCommandOptions): { [name: string]: string } {
  return {
    NO_COLOR: "1",
    TZ: "UTC",
    DENO_NO_PROMPT: "1",
    DENO_NO_UPDATE_CHECK: "1",
    ...(options.cacheDir === null ? {} : { DENO_DIR: `${options.cacheDir}/toolgate_sandbox` }),
  };
}
