import { dirname, resolve } from "node:path";
import { GateError } from "../model/errors.ts";
import { DEMO_SOURCE, demoConfig } from "./demo_config.ts";
import { findExposure } from "./exposure.ts";
import { configError, parseConfig } from "./parse_config.ts";
import { findModeProblems } from "./space_modes.ts";
import { resolvePaths } from "./resolve_paths.ts";
import type { Config } from "./schema.ts";
import { siteVariable } from "./site_environment.ts";

/** Access to the machine that loading a configuration needs. */
export interface LoadConfigDeps {
  /** Environment variable, or undefined. */
  readonly env: (name: string) => string | undefined;
  /** The user's working folder: relative paths on the command line start there. */
  readonly cwd: () => string;
  /** The folder of the process, if different: `deno task` changes to the project's folder. */
  readonly home?: () => string;
  /** @throws {Deno.errors.NotFound} if there is no such file. */
  readonly readTextFile: (path: string) => Promise<string>;
}

export interface LoadedConfig {
  /** All paths in it are absolute; secret references are unresolved. */
  readonly config: Config;
  /** Absolute path of the file, or `demo`. */
  readonly source: string;
  /** Folder that relative paths were resolved against. */
  readonly baseDir: string;
}

/** Settings of the command line that win over the file. */
export interface ConfigOverrides {
  readonly host?: string;
  readonly port?: number;
}

export const systemConfigDeps: LoadConfigDeps = {
  env: siteVariable,
  // Set by the task "toolgate".
  cwd: () => Deno.env.get("TOOLGATE_CWD") || Deno.cwd(),
  home: () => Deno.cwd(),
  readTextFile: (path) => Deno.readTextFile(path),
};

/** Tried in this order when neither `--config` nor `$TOOLGATE_CONFIG` names a file. */
const DEFAULT_FILES = ["toolgate.yaml", "toolgate.json"];

/**
 * Loads the configuration: `path`, else `$TOOLGATE_CONFIG`, else `./toolgate.yaml`, else
 * `./toolgate.json`, else the embedded demo.
 *
 * @throws {GateError} `ERR_CONFIG` that names the key, the problem and the remedy.
 */
export async function loadConfig(
  path: string | undefined,
  deps: LoadConfigDeps = systemConfigDeps,
  overrides: ConfigOverrides = {},
): Promise<LoadedConfig> {
  const found = await readFirst(path, deps);
  const source = found?.file ?? DEMO_SOURCE;
  const baseDir = found === null ? homeOf(deps) : dirname(found.file);
  const parsed = found === null ? demoConfig() : parseConfig(found.text, found.file);
  const config = resolvePaths({
    ...parsed,
    server: {
      ...parsed.server,
      ...(overrides.host === undefined ? {} : { host: overrides.host }),
      ...(overrides.port === undefined ? {} : { port: overrides.port }),
    },
  }, baseDir);
  const problems = [...findExposure(config), ...findModeProblems(config)];
  if (problems.length > 0) throw configError(source, null, problems);
  return { config, source, baseDir };
}

async function readFirst(
  path: string | undefined,
  deps: LoadConfigDeps,
): Promise<{ file: string; text: string } | null> {
  const named = path ?? (deps.env("TOOLGATE_CONFIG") || undefined);
  if (named !== undefined) {
    const file = resolve(deps.cwd(), named);
    const text = await readIfThere(file, deps);
    if (text !== null) return { file, text };
    const origin = path === undefined ? "$TOOLGATE_CONFIG" : "--config";
    throw new GateError("ERR_CONFIG", `Cannot read "${file}", named by ${origin}: no such file`, {
      hint: "Correct the path, or leave it out to run the embedded demo",
    });
  }
  for (const folder of new Set([deps.cwd(), homeOf(deps)])) {
    for (const name of DEFAULT_FILES) {
      const file = resolve(folder, name);
      const text = await readIfThere(file, deps);
      if (text !== null) return { file, text };
    }
  }
  return null;
}

function homeOf(deps: LoadConfigDeps): string {
  return deps.home?.() ?? deps.cwd();
}

async function readIfThere(file: string, deps: LoadConfigDeps): Promise<string | null> {
  try {
    return await deps.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new GateError("ERR_CONFIG", `Cannot read "${file}": ${describeReadError(error)}`, {
      hint: "Make it a readable file",
      cause: error,
    });
  }
}

function describeReadError(error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.IsADirectory) return "it is a folder";
  return error instanceof Error ? error.message : String(error);
}
