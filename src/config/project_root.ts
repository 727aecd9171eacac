/**
 * The folder that holds `workers/`, `policies/` and `main.ts`.
 *
 * Modules keep their folders when run from source or compiled; a bundle is one file at the root.
 */
export const projectRoot: URL = new URL(
  import.meta.url.endsWith("/src/config/project_root.ts") ? "../../" : "./",
  import.meta.url,
);
