/** What each folder of `src/` may import: imports go one way. */
const MODEL = ["model"];
const GROUND = [...MODEL, "rpc", "store", "config", "dial"];
const PARTS = [...GROUND, "catalog", "policy", "usage", "audit", "auth", "upstream"];
const ENGINES = [...PARTS, "search", "sandbox"];

/**
 * Folder to the other folders it may import, types included. Peers do not import each other, except
 * that the token counter (`usage/tokens.ts`) is for everybody above.
 */
export const LAYERS: { readonly [folder: string]: readonly string[] } = {
  model: [],
  rpc: MODEL,
  store: MODEL,
  config: MODEL,
  dial: [...MODEL, "config"],
  catalog: GROUND,
  policy: GROUND,
  usage: GROUND,
  audit: GROUND,
  auth: GROUND,
  upstream: GROUND,
  search: [...GROUND, "catalog"],
  sandbox: ["model", "rpc", "workers"],
  supervisor: ENGINES,
  mcp: [...ENGINES, "supervisor"],
  http: [...ENGINES, "supervisor", "mcp", "console"],
  console: [...ENGINES, "supervisor", "mcp"],
  cli: [...ENGINES, "supervisor", "mcp", "http", "console", "app"],
};

/** Single files that more may import than their folder. */
export const SHARED_FILES: readonly { readonly file: string; readonly by: readonly string[] }[] = [
  { file: "src/usage/tokens.ts", by: ["search", "audit", "catalog"] },
];

/** Files straight in `src/`: the composition root. Nothing below it may import them. */
export const COMPOSITION_ROOT = ["src/app.ts", "src/wire_gate.ts"];

/** npm packages that one place alone may know, so that it can be replaced there. */
export const PACKAGES: { readonly [name: string]: readonly string[] } = {
  "@orama/orama": ["search"],
  "@marcbachmann/cel-js": ["policy"],
  "@modelcontextprotocol/client": ["upstream"],
  "@modelcontextprotocol/server": ["mcp", "http"],
  hono: ["http", "console"],
  typescript: ["sandbox"],
  "gpt-tokenizer": ["usage"],
  hyparquet: ["audit"],
  "hyparquet-writer": ["audit"],
};
