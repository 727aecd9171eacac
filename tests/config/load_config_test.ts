import assert from "node:assert/strict";
import { type ConfigOverrides, loadConfig } from "../../src/config/load_config.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { parseConfig } from "../../src/config/parse_config.ts";
import { unknownSpaces } from "../../src/config/space_modes.ts";
import { GateError } from "../../src/model/errors.ts";

interface Machine {
  readonly files?: { readonly [path: string]: string };
  readonly env?: { readonly [name: string]: string };
  readonly home?: string;
}

function load(machine: Machine, path?: string, overrides?: ConfigOverrides) {
  return loadConfig(path, {
    env: (name) => machine.env?.[name],
    cwd: () => "/work",
    ...(machine.home === undefined ? {} : { home: () => machine.home ?? "" }),
    readTextFile: (file) => {
      const text = machine.files?.[file];
      return text === undefined
        ? Promise.reject(new Deno.errors.NotFound(file))
        : Promise.resolve(text);
    },
  }, overrides);
}

async function failure(text: string): Promise<GateError> {
  const error = await load({ files: { "/work/toolgate.yaml": text } }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof GateError, `accepted: ${text}`);
  assert.equal(error.code, "ERR_CONFIG");
  return error;
}

Deno.test("loadConfig() takes --config, the variable, toolgate.yaml, toolgate.json, the demo, in this order", async () => {
  const files: { [path: string]: string } = {
    "/work/named.yaml": "server: {port: 1}",
    "/etc/gate.yaml": "server: {port: 2}",
    "/work/toolgate.yaml": "server: {port: 3}",
    "/work/toolgate.json": '{\n\t"server": {"port": 4}\n}',
  };
  const env = { TOOLGATE_CONFIG: "/etc/gate.yaml" };
  const first = await load({ files, env }, "named.yaml");
  assert.deepEqual([first.config.server.port, first.source], [1, "/work/named.yaml"]);
  const second = await load({ files, env });
  assert.deepEqual([second.config.server.port, second.baseDir], [2, "/etc"]);
  assert.equal((await load({ files })).config.server.port, 3);
  delete files["/work/toolgate.yaml"];
  assert.equal((await load({ files })).config.server.port, 4);
  const demo = await load({});
  assert.deepEqual([demo.source, demo.baseDir, demo.config.server.port], ["demo", "/work", 8484]);
  assert.equal(demo.config.store, "kv:/work/data/toolgate.kv");
  assert.match(demo.config.policies ?? "", /\/policies\/demo\.yaml$/);
});

Deno.test("loadConfig() takes names from where the user is, what it finds by itself from the project too", async () => {
  const files: { [path: string]: string } = {
    "/work/named.yaml": "server: {port: 1}",
    "/project/named.yaml": "server: {port: 2}",
    "/project/toolgate.yaml": "server: {port: 3}",
    "/work/toolgate.json": "server: {port: 4}",
  };
  const home = "/project";
  assert.equal((await load({ files, home }, "named.yaml")).config.server.port, 1);
  assert.equal((await load({ files, home })).config.server.port, 4);
  delete files["/work/toolgate.json"];
  assert.equal((await load({ files, home })).baseDir, "/project");
  assert.deepEqual((await load({ home })).config.store, "kv:/project/data/toolgate.kv");
});

Deno.test("loadConfig() refuses a name that would be lost", async () => {
  for (
    const text of [
      "mcpServers:\n  __proto__: { command: x }\n",
      "\n__proto__: {}",
      '\n{"__proto__": 1}',
    ]
  ) {
    assert.match((await failure(text)).message, /\(line 2\): "__proto__" is not a name/);
  }
});

Deno.test("loadConfig() says which named file is missing", async () => {
  await assert.rejects(load({}, "no.yaml"), /Cannot read "\/work\/no\.yaml", named by --config/);
  await assert.rejects(load({ env: { TOOLGATE_CONFIG: "no.yaml" } }), /named by \$TOOLGATE_CONFIG/);
});

Deno.test("loadConfig() says why a file cannot be read", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await assert.rejects(loadConfig(folder), (error: unknown) => {
      assert.ok(error instanceof GateError);
      assert.match(error.message, /it is a folder/);
      return true;
    });
  } finally {
    await Deno.remove(folder);
  }
});

Deno.test("loadConfig() resolves relative paths against the folder of the file", async () => {
  const { config } = await load({
    files: {
      "/etc/gate/toolgate.yaml": `
store: kv:data/x.kv
policies: ./policies
bundle: { path: a.bundle, trust: [keys/a.jwk] }
mcpServers:
  files: { command: npx, args: [./files] }
  other: { command: x, cwd: sub }
openapi:
  local: { spec: spec.json }
  remote: { spec: "https://example.com/spec.json" }
audit:
  anchors: [anchors.log, "https://example.com/anchor"]
  ship: [{ to: "file:./ship" }, { to: "https://example.com/in" }]
`,
    },
  }, "/etc/gate/toolgate.yaml");
  assert.equal(config.store, "kv:/etc/gate/data/x.kv");
  assert.equal(config.policies, "/etc/gate/policies");
  assert.deepEqual(config.bundle, {
    path: "/etc/gate/a.bundle",
    trust: ["/etc/gate/keys/a.jwk"],
    stale: "deny",
  });
  const cwds = Object.values(config.mcpServers).map((server) =>
    "command" in server ? server.cwd : null
  );
  assert.deepEqual(cwds, ["/etc/gate", "/etc/gate/sub"]);
  assert.equal(config.openapi["local"]?.spec, "/etc/gate/spec.json");
  assert.equal(config.openapi["remote"]?.spec, "https://example.com/spec.json");
  assert.deepEqual(config.audit.anchors, ["/etc/gate/anchors.log", "https://example.com/anchor"]);
  assert.deepEqual(config.audit.ship.map((sink) => sink.to), [
    "file:/etc/gate/ship",
    "https://example.com/in",
  ]);
});

Deno.test("loadConfig() has the keys beside the file sign a bundle of which only the file is named", async () => {
  const files = { "/etc/gate/toolgate.yaml": "bundle: ./acme.bundle.json" };
  const { config } = await load({ files }, "/etc/gate/toolgate.yaml");
  assert.deepEqual(config.bundle, {
    path: "/etc/gate/acme.bundle.json",
    trust: ["/etc/gate/keys"],
    stale: "deny",
  });
});

Deno.test("loadConfig() keeps memory: and databases as the store", async () => {
  for (const store of ["memory:", "postgres://a,b/db", "kv+https://kv.example.com"]) {
    const { config } = await load({ files: { "/work/toolgate.yaml": `store: "${store}"` } });
    assert.equal(config.store, store);
  }
});

Deno.test("loadConfig() names file, line, key, nearest known key and remedy of an unknown key", async () => {
  const error = await failure("server:\n  port: 1\nlimits:\n  walTimeMs: 3\n");
  assert.equal(
    error.message,
    'Cannot use "/work/toolgate.yaml" (line 4): "limits.walTimeMs" is an unknown key, ' +
      'the nearest known key is "wallTimeMs"',
  );
  assert.equal(error.hint, 'Rename it to "wallTimeMs" or remove it');
});

Deno.test("loadConfig() explains each kind of mistake", async () => {
  const cases: { text: string; message: RegExp; hint: RegExp }[] = [
    { text: "zzz: 1", message: /"zzz" is an unknown key$/, hint: /known keys here: server, store/ },
    { text: "server: {port: 65536}", message: /at most 65535, not 65536/, hint: /at most 65535/ },
    { text: "server: {port: -1}", message: /at least 0, not -1/, hint: /at least 0/ },
    { text: "server: {port: 1.5}", message: /whole number/, hint: /Write a whole number/ },
    { text: 'limits: {memoryMb: "9"}', message: /must be a number, not "9"/, hint: /number/ },
    { text: "auth: key", message: /one of "none", "keys", \{ issuer \}/, hint: /mean "keys"/ },
    { text: "auth: {issuer: x}", message: /auth\.issuer" must be a URL/, hint: /auth\.issuer/ },
    { text: "store: redis://x", message: /must be "memory:", "kv:<path>"/, hint: /"store"/ },
    { text: "openapi:", message: /"openapi" has no value/, hint: /remove the key/ },
    {
      text: "mcpServers: {a: {}}",
      message: /a" needs "command" or "url"/,
      hint: /Add "command" or/,
    },
    {
      text: "mcpServers: {a: {command: x, url: 'http://y'}}",
      message: /"mcpServers\.a\.url" does not go with the other keys/,
      hint: /Remove "url"/,
    },
    {
      text: "mcpServers:\n  a:\n    command: x\n    comand: y",
      message: /line 4.*nearest known key is "command"/,
      hint: /Rename/,
    },
    {
      text: "audit:\n  ship:\n    - {to: a}\n    - {to: b, format: ocfs}",
      message: /line 4.*audit\.ship\[1\]\.format" must be one of/,
      hint: /"ocsf"/,
    },
    {
      text: "mcpServers: {a: {url: 'file:///etc/passwd'}}",
      message: /"mcpServers\.a\.url" must be a URL such as https/,
      hint: /mcpServers\.a\.url/,
    },
    { text: "- a", message: /must be a map of keys, not a list/, hint: /map/ },
    { text: "a: 1\na: 2", message: /line 2.*unique/, hint: /YAML/ },
    { text: "x: [", message: /Cannot read .*line 1/, hint: /YAML/ },
  ];
  for (const { text, message, hint } of cases) {
    const error = await failure(text);
    assert.match(error.message, message);
    assert.match(error.hint, hint);
  }
});

Deno.test("loadConfig() lists several problems, each with its line and remedy", async () => {
  const error = await failure("server: {prt: 1}\nlimit: {}\n");
  assert.match(error.message, /2 problems\n {2}"server\.prt" .*\(line 1\)\. Rename it to "port"/);
  assert.match(error.message, /\n {2}"limit" .*\(line 2\)\. Rename it to "limits"/);
});

Deno.test("loadConfig() never repeats a text that may be a secret", async () => {
  const secret = "sk-live 0123456789 abcdefghij";
  const error = await failure(`mcpServers: {a: {url: 'http://x', headers: "${secret}"}}`);
  assert.match(error.message, /must be a map of names, not another text/);
  assert.ok(!`${error.message}${error.hint}`.includes(secret));
});

Deno.test("loadConfig() refuses auth none and open policies beyond loopback, from file and flag", async () => {
  const open = await failure("server: {host: 0.0.0.0}\npolicies: open\nauth: keys");
  assert.match(open.message, /"policies" is "open".*"0\.0\.0\.0"/);
  const none = await failure('server: {host: "::"}');
  assert.match(none.message, /"auth" is "none"/);
  await assert.rejects(load({}, undefined, { host: "192.168.1.4" }), /"auth" is "none"/);
  const files = { "/work/toolgate.yaml": "auth: keys\nserver: {host: 0.0.0.0}" };
  assert.equal((await load({ files })).config.server.host, "0.0.0.0");
  const local = await load({ files }, undefined, { host: "127.0.0.1", port: 9 });
  assert.deepEqual([local.config.server.host, local.config.server.port], ["127.0.0.1", 9]);
});

Deno.test("loadConfig() knows the names of loopback", async () => {
  for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "LOCALHOST"]) {
    assert.equal((await load({}, undefined, { host })).config.server.host, host);
  }
  for (
    const host of [
      "127.0.0.1.evil.com",
      "0.0.0.0",
      "localhost.evil.com",
      "128.0.0.1",
      "127.0.0.256",
    ]
  ) {
    await assert.rejects(load({}, undefined, { host }), /reachable from other machines/);
  }
});

Deno.test("loadConfig() wants the audience of tokens written down where strangers choose the host", async () => {
  const auth = "auth: { issuer: https://idp.example }\nserver: { host: 0.0.0.0 }";
  assert.match((await failure(auth)).message, /auth\.audience" is missing/);
  const named = auth.replace("0.0.0.0", "0.0.0.0, publicUrl: https://tools.acme.com");
  const withAudience = auth.replace("example }", "example, audience: tools }");
  for (const text of [named, withAudience, auth.replace("0.0.0.0", "127.0.0.1")]) {
    await load({ files: { "/work/toolgate.yaml": text } });
  }
});

Deno.test("loadConfig() stops a file of aliases that would grow without end", async () => {
  const rows = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (const [now, before] of ["ba", "cb", "dc", "ed", "fe", "gf"]) {
    rows.push(`${now}: &${now} [${Array(9).fill(`*${before}`).join(", ")}]`);
  }
  assert.match((await failure(rows.join("\n"))).message, /Cannot read/);
});

Deno.test("loadConfig() wants modes of spaces to say what they are about", async () => {
  const config = (spaces: string) =>
    `mcpServers: { pay: { command: x }, mail: { command: y } }\nspaces: { s: { ${spaces} } }`;
  const cases: [string, RegExp, RegExp][] = [
    ["mode: pass", /spaces\.s\.upstream" is missing/, /pay, mail/],
    ["mode: pass, upstream: payy", /"payy", and there is no such/, /Did you mean "pay"/],
    ["mode: classic, upstream: pay", /goes with "mode: pass" only/, /remove it/],
    ["classic: [pay.*]", /goes with "mode: hybrid" only/, /mode: hybrid/],
  ];
  for (const [spaces, message, hint] of cases) {
    const error = await failure(config(spaces));
    assert.match(error.message, message);
    assert.match(error.hint, hint);
  }
  for (
    const good of ["mode: pass, upstream: pay", "mode: hybrid, classic: [pay.*]", "mode: code"]
  ) {
    await load({ files: { "/work/toolgate.yaml": config(good) } });
  }
});

Deno.test("unknownSpaces() names modes of spaces that the policy does not have", () => {
  const { spaces } = ConfigSchema.parse({ spaces: { default: {}, refunds: {}, refnds: {} } });
  assert.deepEqual(unknownSpaces({ spaces }, ["refunds"]), [
    'spaces.refnds in the configuration: the policy has no such space; did you mean "refunds"?',
  ]);
});

Deno.test("parseConfig() refuses numbers that are not finite, by their key", () => {
  for (const number of [".inf", "-.inf", ".nan", "1e400"]) {
    for (
      const [key, text] of [
        ["limits.wallTimeMs", `limits: { wallTimeMs: ${number} }`],
        ["audit.retentionDays", `audit: { retentionDays: ${number} }`],
        ["pricing.usdPerMillionTokens", `pricing: { usdPerMillionTokens: ${number} }`],
        ["server.port", `server: { port: ${number} }`],
      ] as const
    ) {
      assert.throws(
        () => parseConfig(text, "t.yaml"),
        (error: Error) => error.message.includes(`"${key}"`),
        `${key}: ${number}`,
      );
    }
  }
});
