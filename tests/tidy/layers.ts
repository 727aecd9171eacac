/** The imports that each folder of `src/` may have: imports go one way. */
const MODEL = ["model"];
const GROUND = [...MODEL, "rpc", "store", "config", "dial"];
const PARTS = [...GROUND, "catalog", "policy", "usage", "audit", "auth", "upstream"];
const ENGINES = [...PARTS, "search", "program", "checker", "sandbox"];

/**
 * Folder to the other folders it may import, types included. Peers do not import each other, but
 * all folders above may import the token counter (`usage/tokens.ts`).
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
  program: ["model", "rpc"],
  checker: ["model", "rpc", "program", "workers"],
  sandbox: ["model", "rpc", "program", "workers"],
  supervisor: ENGINES,
  mcp: [...ENGINES, "supervisor"],
  operations: [...ENGINES, "supervisor", "mcp"],
  http: [...ENGINES, "supervisor", "mcp", "operations"],
  console: [...ENGINES, "supervisor", "mcp", "operations"],
  cli: [...ENGINES, "supervisor", "mcp", "operations", "http", "console", "app"],
};

/**
 * Rooms are the folders inside a folder. Maps each room to its sibling rooms that it may import.
 * The files of the folder itself may import every room, and every room may import them; cycles of
 * files are not allowed. The entry "*" stands for all rooms without their own entry.
 */
export const ROOMS: { readonly [folder: string]: { readonly [room: string]: readonly string[] } } =
  {
    audit: {
      chain: [],
      payloads: ["chain"],
      write: ["chain", "payloads"],
      verify: ["chain", "payloads", "write"],
      export: [],
      ship: ["chain", "export", "verify"],
    },
    checker: { rules: [], process: ["rules"] },
    catalog: { types: [] },
    cli: { commands: [] },
    config: { upstreams: [] },
    console: {
      assets: [],
      "assets/style": [],
      view: [],
      pages: ["view"],
      routes: ["pages", "view"],
    },
    http: {
      server: [],
      api: ["api/answers", "api/inputs"],
      "api/answers": ["server"],
      "api/inputs": [],
    },
    model: { json: [], time: [] },
    policy: {
      file: [],
      condition: [],
      redact: ["file"],
      check: ["condition", "file"],
      bundle: ["check", "file"],
    },
    sandbox: {
      host: ["host/kernel"],
      "host/kernel": ["host"],
      run: ["host"],
      pool: ["host", "run"],
      attack: ["pool", "run"],
    },
    store: { kv: [], memory: [], postgres: [] },
    supervisor: { values: [], call: ["values"], program: ["call", "values"] },
    upstream: {
      net: [],
      credentials: ["net"],
      openapi: ["credentials", "mcp", "net"],
      // One room for each kind of upstream.
      "*": ["credentials", "net"],
    },
  };

/** Single files that more folders may import than the rest of their folder. */
export const SHARED_FILES: readonly { readonly file: string; readonly by: readonly string[] }[] = [
  { file: "src/usage/tokens.ts", by: ["search", "audit", "catalog"] },
  { file: "src/sandbox/host/revoke_permissions.ts", by: ["checker"] },
];

/** Files directly in `src/`: the composition root. Files in its folders must not import them. */
export const COMPOSITION_ROOT = [
  "src/app.ts",
  "src/wire_catalog.ts",
  "src/wire_gate.ts",
  "src/wire_identity.ts",
  "src/wire_listening.ts",
  "src/wire_programs.ts",
  "src/wire_protocols.ts",
  "src/wire_status.ts",
];

/** npm packages that only one place may import, so that each can be replaced there. */
export const PACKAGES: { readonly [name: string]: readonly string[] } = {
  "@orama/orama": ["search"],
  "@marcbachmann/cel-js": ["policy"],
  "@modelcontextprotocol/client": ["upstream"],
  "@modelcontextprotocol/server": ["mcp", "http"],
  hono: ["http", "console"],
  typescript: ["checker"],
  "gpt-tokenizer": ["usage"],
  hyparquet: ["audit"],
  "hyparquet-writer": ["audit"],
};
