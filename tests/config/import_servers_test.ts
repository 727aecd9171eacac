import fc from "fast-check";
import assert from "node:assert/strict";
import { importServers } from "../../src/config/import_servers.ts";
import { parseConfig } from "../../src/config/parse_config.ts";
import { createSecretResolver } from "../../src/config/secrets.ts";
import { GateError } from "../../src/model/errors.ts";

function run(file: unknown) {
  const text = typeof file === "string" ? file : JSON.stringify(file);
  const imported = importServers(text, "client.json");
  return { ...imported, config: parseConfig(imported.text, "toolgate.yaml") };
}

Deno.test("importServers() takes a Claude Desktop file as it is and moves its secrets out", () => {
  const { config, servers, secrets, text, notes } = run({
    globalShortcut: "",
    mcpServers: {
      filesystem: {
        command: "npx",
        args: ["-y", "@modelcontextprotocol/server-filesystem", "/Users/me/Desktop"],
      },
      github: {
        command: "docker",
        args: ["run", "-i", "--rm", "-e", "GITHUB_PERSONAL_ACCESS_TOKEN", "ghcr.io/github/x"],
        env: { GITHUB_PERSONAL_ACCESS_TOKEN: "ghp_0123456789abcdefghij", LOG_LEVEL: "debug" },
      },
    },
  });
  assert.deepEqual(servers, ["filesystem", "github"]);
  assert.deepEqual(notes, []);
  assert.deepEqual(secrets, [{
    server: "github",
    place: "env.GITHUB_PERSONAL_ACCESS_TOKEN",
    variable: "GITHUB_PERSONAL_ACCESS_TOKEN",
  }]);
  const github = config.mcpServers["github"];
  assert.ok(github && "command" in github);
  assert.deepEqual(github.env, {
    GITHUB_PERSONAL_ACCESS_TOKEN: "${env:GITHUB_PERSONAL_ACCESS_TOKEN}",
    LOG_LEVEL: "debug",
  });
  assert.ok(!text.includes("ghp_"));
});

Deno.test("importServers() drops the fields of Cursor, Cline, Windsurf and others with a note", () => {
  const { config, notes } = run({
    mcpServers: {
      cline: {
        command: "node",
        args: ["x.js"],
        disabled: true,
        autoApprove: ["a"],
        alwaysAllow: ["b"],
        disabledTools: ["c"],
        timeout: 60,
        description: "text",
        icon: "x.png",
      },
      windsurf: { serverUrl: "https://a.example.com/sse", type: "sse" },
      gemini: { httpUrl: "https://b.example.com/mcp", trust: true, enabled: false },
      cursor: { url: "https://c.example.com/mcp", envFile: ".env", args: ["never"] },
    },
  });
  const { cline, windsurf, gemini, cursor } = config.mcpServers;
  assert.ok(cline && "command" in cline && cline.disabled);
  assert.ok(windsurf && "url" in windsurf && windsurf.type === "sse");
  assert.ok(gemini && "url" in gemini && gemini.type === undefined && gemini.disabled);
  assert.ok(cursor && "url" in cursor && cursor.url === "https://c.example.com/mcp");
  assert.match(
    notes[0] ?? "",
    /^cline: autoApprove, alwaysAllow, disabledTools, timeout, description, icon dropped; set timeoutMs/,
  );
  assert.match(notes[1] ?? "", /^gemini: trust dropped/);
  assert.match(notes[2] ?? "", /^cursor: envFile, args dropped; load that file/);
});

Deno.test("importServers() reads VS Code's form with comments, trailing commas and inputs", () => {
  const { config, notes, secrets } = run(`{
    // servers of this workspace, see https://example.com/*not a comment*/
    "inputs": [
      { "type": "promptString", "id": "perplexity-key", "description": "Perplexity API Key", "password": true },
    ],
    "servers": {
      "perplexity": {
        "type": "stdio",
        "command": "npx",
        "args": ["-y", "server-perplexity-ask", "--root", "\${workspaceFolder}/docs"],
        "env": { "PERPLEXITY_API_KEY": "\${input:perplexity-key}" }, /* asked */
      },
      "remote": { "type": "http", "url": "https://api.example.com/mcp/", "headers": { "Authorization": "Bearer \${input:perplexity-key}" } },
    },
  }`);
  const { perplexity, remote } = config.mcpServers;
  assert.ok(perplexity && "command" in perplexity);
  assert.deepEqual(perplexity.env, { PERPLEXITY_API_KEY: "${env:PERPLEXITY_KEY}" });
  assert.equal(perplexity.args.at(-1), "./docs");
  assert.ok(remote && "url" in remote);
  assert.deepEqual(remote.headers, { Authorization: "Bearer ${env:PERPLEXITY_KEY}" });
  assert.deepEqual(secrets, []);
  assert.ok(notes.some((note) => /PERPLEXITY_KEY\}" \(Perplexity API Key\)/.test(note)));
  assert.equal(run({ mcp: { servers: { a: { command: "x" } } } }).servers[0], "a");
});

Deno.test("importServers() keeps the scheme of a header and names its variable after the server", () => {
  const { config, secrets, text } = run({
    mcpServers: {
      "my-api": {
        url: "https://api.example.com/mcp",
        headers: { Authorization: "Bearer abc def", "X-Api-Key": "zzz", Accept: "text/plain" },
      },
    },
  });
  const server = config.mcpServers["my-api"];
  assert.ok(server && "url" in server);
  assert.deepEqual(server.headers, {
    Authorization: "Bearer ${env:MY_API_TOKEN}",
    "X-Api-Key": "${env:MY_API_X_API_KEY}",
    Accept: "text/plain",
  });
  assert.equal(secrets.length, 2);
  assert.ok(!text.includes("abc") && !text.includes("zzz"));
});

Deno.test("importServers() finds secrets in arguments and connection strings", () => {
  const { config, secrets, text } = run({
    mcpServers: {
      pg: { command: "npx", args: ["server-postgres", "postgresql://u:hunter2@db/x"] },
      one: { command: "x", args: ["--api-key=hunter3", "--port", "8080", "--verbose"] },
      two: { command: "x", args: ["--token", "hunter4", "sk-proj-0123456789abcdef"] },
    },
  });
  assert.deepEqual(
    Object.values(config.mcpServers).map((server) => "args" in server ? server.args : []),
    [
      ["server-postgres", "${env:PG_SECRET}"],
      ["--api-key=${env:ONE_API_KEY}", "--port", "8080", "--verbose"],
      ["--token", "${env:TWO_TOKEN}", "${env:TWO_SECRET}"],
    ],
  );
  assert.equal(secrets.length, 4);
  assert.doesNotMatch(text, /hunter|sk-proj/);
});

Deno.test("importServers() gives one variable to equal secrets and two to different ones", () => {
  const server = (key: string) => ({ command: "x", env: { API_KEY: key } });
  const { secrets } = run({ mcpServers: { a: server("k1"), b: server("k1"), c: server("k2") } });
  assert.deepEqual(secrets.map((moved) => moved.variable), ["API_KEY", "API_KEY", "C_API_KEY"]);
});

Deno.test("importServers() leaves harmless settings and shell variables alone", () => {
  const { config, secrets } = run({
    mcpServers: {
      a: {
        command: "sh",
        args: ["-c", "for i in 1 2; do echo ${i}; done", "${HOME}/x", "${PORT:-80}"],
        env: {
          AUTH_ENABLED: "true",
          KEY_FILE: "/etc/key.pem",
          TOKEN_URL: "https://login.example.com/token",
          MODEL: "claude-opus-4",
          COUNT: 3,
        },
      },
    },
  });
  const server = config.mcpServers["a"];
  assert.ok(server && "command" in server);
  assert.deepEqual(server.args, [
    "-c",
    "for i in 1 2; do echo ${i}; done",
    "${env:HOME}/x",
    "${env:PORT}",
  ]);
  assert.equal(server.env["COUNT"], "3");
  assert.deepEqual(secrets, []);
});

Deno.test("importServers() leaves out what is not a server and refuses a file without any map", () => {
  const { servers, notes } = run({ mcpServers: { bad: {}, worse: 7, good: { command: "x" } } });
  assert.deepEqual(servers, ["good"]);
  assert.equal(notes.filter((note) => note.includes("left out")).length, 2);
  for (const text of ["{}", "[]", "7", '{"mcpServers": []}']) {
    assert.throws(
      () => run(text),
      (error: unknown) =>
        error instanceof GateError && error.code === "ERR_CONFIG" &&
        /no "mcpServers" map/.test(error.message),
    );
  }
  assert.throws(() => run("{ not json"), /neither JSON nor YAML/);
});

Deno.test("importServers() says when a URL holds a secret", () => {
  const { notes } = run({ mcpServers: { a: { url: "https://x.example.com/mcp?api_key=abc" } } });
  assert.match(notes.join(), /a\.url seems to hold a secret/);
  assert.doesNotMatch(notes.join(), /abc/);
});

Deno.test("importServers() makes references only of variables and inputs, whatever the file says", async () => {
  const variables = new Set<string>();
  const resolve = createSecretResolver({
    env: (name) => {
      variables.add(name);
      return "value";
    },
    readTextFile: () => assert.fail("a file was read"),
    runCommand: () => assert.fail("a command was run"),
    now: () => 0,
    baseDir: "/",
  });
  const piece = fc.constantFrom(
    ...["$", "{", "}", "${", "env:A", "file:", "exec:", "${exec:", "${/}", "${input:a}", "${A:-"],
    ...["${workspaceFolder}", "${userHome}", "--key=", "Bearer ", ":-"],
  );
  const text = fc.array(piece, { minLength: 1, maxLength: 10 }).map((pieces) => pieces.join(""));
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      const { config } = run({
        mcpServers: {
          a: { command: "x", args: [value], env: { TEXT: value } },
          b: { url: "http://a.example.com/", headers: { X: value } },
        },
      });
      const { a, b } = config.mcpServers;
      assert.ok(a && "args" in a && b && "url" in b);
      for (const written of [...a.args, ...Object.values(a.env), ...Object.values(b.headers)]) {
        await resolve(written);
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(variables.has("A"));
  assert.doesNotMatch([...variables].join(), /exec|file/);
});

Deno.test("importServers() names a transport only where the file does", () => {
  const url = "https://a.example.com/mcp";
  const { config } = run({
    mcpServers: {
      none: { url },
      upper: { url, type: "SSE" },
      dashed: { url, type: "streamable-http" },
      camel: { url, transport: "streamableHttp" },
      lower: { url, transportType: "streamable_http" },
      unknown: { url, type: "remote" },
      empty: { url, type: "" },
    },
  });
  const types = Object.fromEntries(
    Object.entries(config.mcpServers).map(([name, server]) => [name, server.type]),
  );
  assert.deepEqual(types, {
    none: undefined,
    upper: "sse",
    dashed: "http",
    camel: "http",
    lower: "http",
    unknown: undefined,
    empty: undefined,
  });
});

Deno.test("importServers() takes httpUrl before url and says what it dropped", () => {
  const { config, notes } = run({
    mcpServers: {
      two: { url: "https://old.example.com/sse", httpUrl: "https://new.example.com/mcp" },
    },
  });
  const { two } = config.mcpServers;
  assert.ok(two && "url" in two && two.url === "https://new.example.com/mcp");
  assert.deepEqual(notes, ["two: url dropped"]);
});

Deno.test("importServers() takes the default of a reference where none is resolved", () => {
  const { config, notes } = run({
    mcpServers: {
      api: { url: "${ACME_URL:-https://mcp.acme.test}/mcp" },
      port: { url: "http://localhost:${env:PORT:-8080}/mcp" },
      tool: { command: "${NODE:-node}", args: ["x.js"] },
    },
  });
  const { api, port, tool } = config.mcpServers;
  assert.ok(api && "url" in api && api.url === "https://mcp.acme.test/mcp");
  assert.ok(port && "url" in port && port.url === "http://localhost:8080/mcp");
  assert.ok(tool && "command" in tool && tool.command === "node");
  assert.equal(notes.filter((note) => note.includes("became its default")).length, 3);
});

Deno.test("importServers() leaves out a server that would not load, and keeps the others", () => {
  const { config, notes, secrets } = run({
    mcpServers: {
      "": { command: "node" },
      bare: { url: "mcp.acme.test/mcp" },
      host: {
        url: "https://${ACME_HOST}/mcp",
        headers: { Authorization: "Bearer abcdef-1234567890" },
      },
      file: { url: "file:///etc/passwd" },
      ["x".repeat(101)]: { command: "node" },
      list: ["node"],
      nothing: null,
      good: { command: "node", args: ["x.js"] },
    },
  });
  assert.deepEqual(Object.keys(config.mcpServers), ["good"]);
  assert.equal(notes.filter((note) => note.includes("left out")).length, 7);
  assert.ok(
    notes.some((note) => /^"bare" was left out: .*must be a URL/.test(note)),
    notes.join("\n"),
  );
  assert.ok(!notes.some((note) => /line \d/.test(note)), notes.join("\n"));
  assert.deepEqual(secrets, []);
});

Deno.test("importServers() takes a command in every form that clients write", () => {
  const expected = { command: "npx", args: ["-y", "a-server"] };
  const forms: readonly unknown[] = [
    { command: "npx", args: ["-y", "a-server"] },
    { command: ["npx", "-y", "a-server"] },
    { command: "npx -y a-server" },
    { command: "npx", args: "-y a-server" },
    { command: { path: "npx", args: ["-y", "a-server"], env: { MODE: "x" } } },
    { type: "local", command: ["npx", "-y", "a-server"], environment: { MODE: "x" } },
  ];
  for (const form of forms) {
    const { config } = run({ mcp: { one: form } });
    const { one } = config.mcpServers;
    assert.ok(one && "command" in one, JSON.stringify(form));
    assert.deepEqual({ command: one.command, args: one.args }, expected, JSON.stringify(form));
    if (JSON.stringify(form).includes("MODE")) assert.deepEqual(one.env, { MODE: "x" });
  }
  const path = "C:\\Program Files\\nodejs\\node.exe";
  const { one } = run({ mcpServers: { one: { command: path } } }).config.mcpServers;
  assert.ok(one && "command" in one && one.command === path);
});

Deno.test("importServers() reads JSON as other programs do: the last of equal names, tabs, a mark", () => {
  const { config } = run(
    '\uFEFF{\n\t"mcpServers": {\n\t\t"a": {"command": "old"},\n\t\t"a": {"command": "new"}\n\t}\n}',
  );
  const { a } = config.mcpServers;
  assert.ok(a && "command" in a && a.command === "new");
});
