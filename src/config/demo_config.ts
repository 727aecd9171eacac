import { fileURLToPath } from "node:url";
import { projectRoot } from "./project_root.ts";
import { type Config, ConfigSchema } from "./schema.ts";

/** The source name of a configuration that does not come from a file. */
export const DEMO_SOURCE = "demo";

/**
 * The configuration used when there is no file: made-up servers inside the process, a policy over
 * them, Deno KV under `./data`.
 */
export function demoConfig(): Config {
  return ConfigSchema.parse({
    // The demo servers are part of the program: a new version of them is not drift.
    catalog: { pins: "trust" },
    policies: fileURLToPath(new URL("policies/demo.yaml", projectRoot)),
  });
}

/** True if `source` of a loaded configuration is the embedded demo, not a file. */
export function isDemo(source: string): boolean {
  return source === DEMO_SOURCE;
}
