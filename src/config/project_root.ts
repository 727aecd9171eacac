/**
 * The folder that holds `workers/`, `policies/` and `main.ts`.
 *
 * Run from source and compiled, modules keep their folders; a bundle is one file at the root.
 */
export const projectRoot: URL = new URL(
  import.meta.url.endsWith("/src/config/project_root.ts") ? "../../" : "./",
  import.meta.url,
);
