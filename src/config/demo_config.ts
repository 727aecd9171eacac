import { fileURLToPath } from "node:url";
import { projectRoot } from "./project_root.ts";
import { type Config, ConfigSchema } from "./schema.ts";

/**
 * The configuration used when there is no file: made-up servers inside the process, a policy over
 * them, Deno KV under `./data`.
 */
export function demoConfig(): Config {
  return ConfigSchema.parse({
    policies: fileURLToPath(new URL("policies/demo.yaml", projectRoot)),
  });
}
