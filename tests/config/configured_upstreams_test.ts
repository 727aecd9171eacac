import assert from "node:assert/strict";
import {
  addressToTry,
  type ConfiguredUpstream,
  configuredUpstreams,
  findUpstream,
  remedyOf,
  takesAccounts,
} from "../../src/config/configured_upstreams.ts";
import { resolvePaths } from "../../src/config/resolve_paths.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { aliasesOf, titlesOf } from "../../src/config/server_names.ts";
import { UPSTREAM_KINDS } from "../../src/config/upstreams/upstream_kinds.ts";

const OAUTH = {
  type: "oauth",
  clientId: "c",
  authorizationUrl: "https://id.example/a",
  tokenUrl: "https://id.example/t",
};
const config = ConfigSchema.parse({
  openapi: {
    pets: { spec: "./pets.json", baseUrl: "https://pets.example/v1", auth: OAUTH },
    local: { spec: "./local.json", title: "Local", allowPrivateNetwork: true },
  },
  mcpServers: {
    files: { command: "npx", args: ["files"], aliases: { read: ["open"] } },
    far: { url: "https://far.example/mcp", auth: OAUTH },
    off: { url: "https://off.example/mcp", disabled: true },
  },
});

function find(name: string): ConfiguredUpstream {
  return findUpstream(config, name) ?? assert.fail(name);
}

Deno.test("configuredUpstreams() has every upstream with its section, also those switched off", () => {
  assert.deepEqual(
    configuredUpstreams(config).map(({ section, name }) => `${section}.${name}`),
    ["mcpServers.files", "mcpServers.far", "mcpServers.off", "openapi.pets", "openapi.local"],
  );
  assert.deepEqual(configuredUpstreams(ConfigSchema.parse({})), []);
});

Deno.test("every kind of upstream is a section of the configuration", () => {
  const sections: readonly string[] = Object.keys(UPSTREAM_KINDS);
  assert.ok(sections.every((section) => Object.hasOwn(ConfigSchema.shape, section)));
  assert.ok(sections.length >= 2);
});

Deno.test("findUpstream() finds own names only", () => {
  assert.equal(find("pets").section, "openapi");
  assert.equal(findUpstream(config, "toString"), undefined);
  assert.equal(findUpstream(config, ""), undefined);
});

Deno.test("takesAccounts() is true where people log in themselves", () => {
  const taking = configuredUpstreams(config).filter((upstream) => takesAccounts(upstream));
  assert.deepEqual(taking.map(({ name }) => name), ["far", "pets"]);
});

Deno.test("remedyOf() says how to look at each kind", () => {
  const down = {
    status: "down" as const,
    down: { since: 0, retryAt: null, exit: "exit code 1", stderr: [] },
  };
  assert.match(remedyOf(find("files"), down), /by hand to see why: npx files$/);
  assert.match(remedyOf(find("far"), down), /https:\/\/far\.example\/mcp answers/);
  assert.match(remedyOf(find("files"), { status: "down" }), /not with its tools/);
  assert.match(remedyOf(find("pets"), down), /document and its base URL/);
});

Deno.test("addressToTry() is the base URL of an HTTP API, and nothing of others", () => {
  assert.deepEqual(addressToTry(find("pets")), {
    url: "https://pets.example/v1",
    allowPrivateNetwork: false,
  });
  const others = ["local", "files", "far"].map((name) => addressToTry(find(name)));
  assert.deepEqual(others, [null, null, null]);
});

Deno.test("resolvePaths() asks each kind for its paths and changes nothing else of it", () => {
  const resolved = resolvePaths(config, "/etc/gate");
  assert.deepEqual(resolved.openapi["pets"], {
    ...config.openapi["pets"],
    spec: "/etc/gate/pets.json",
  });
  assert.deepEqual(resolved.mcpServers["files"], {
    ...config.mcpServers["files"],
    cwd: "/etc/gate",
  });
  assert.deepEqual(resolved.mcpServers["far"], config.mcpServers["far"]);
});

Deno.test("aliasesOf() and titlesOf() cover all kinds", () => {
  assert.deepEqual(aliasesOf(config)["files"], { read: ["open"] });
  assert.deepEqual(aliasesOf(config)["pets"], {});
  assert.deepEqual(titlesOf(config), { local: "Local" });
});
