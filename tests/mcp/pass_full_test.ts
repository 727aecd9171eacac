/** A space that hands one upstream on: lists, contents and progress, as policy lets them pass. */
import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { startFixtureUpstream } from "../conformance/fixture_upstream.ts";
import { withApp } from "../fakes/app.ts";

const policy = (output = "") => `
version: 1
name: pass
tools: { fixture: { read: ["*"] } }
rules:
  - { id: all, allow: read }
  - { id: no-image, deny: read, tools: ["fixture.test_prompt_with_image"], message: Closed }
${output}
`;

async function withPassed(
  output: string,
  use: (client: Client, kinds: () => Promise<string[]>) => Promise<void>,
): Promise<void> {
  await using upstream = startFixtureUpstream();
  const config = {
    policy: policy(output),
    mcpServers: { fixture: { url: upstream.url } },
    spaces: { default: { mode: "pass", upstream: "fixture" } },
  };
  await withApp(config, async ({ app, json }) => {
    const { url } = await app.listen();
    const client = new Client({ name: "test", version: "1" }, {
      versionNegotiation: { mode: "auto" },
    });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`)));
    try {
      await use(client, async () => {
        const { records } = await json<{ records: { kind: string; tool?: { name: string } }[] }>(
          "GET",
          "/audit",
        );
        return records.map(({ kind, tool }) => `${kind} ${tool?.name ?? ""}`);
      });
    } finally {
      await client.close();
    }
  });
}

Deno.test("resources and prompts pass through the gate as they are, and are audited", async () => {
  await withPassed("", async (client, kinds) => {
    const { resources } = await client.listResources();
    assert.deepEqual(resources.map(({ uri }) => uri), [
      "test://static-text",
      "test://static-binary",
    ]);
    const { contents } = await client.readResource({ uri: "test://static-binary" });
    assert.equal(contents[0]?.mimeType, "image/png");
    const { contents: [filled] } = await client.readResource({ uri: "test://template/7/data" });
    assert.match(JSON.stringify(filled), /Data for ID: 7/);
    const prompt = await client.getPrompt({
      name: "test_prompt_with_arguments",
      arguments: { arg1: "x", arg2: "y" },
    });
    assert.match(JSON.stringify(prompt.messages), /arg1='x', arg2='y'/);
    const seen = await kinds();
    for (const name of ["test://static-binary", "test_prompt_with_arguments"]) {
      assert.ok(
        seen.includes(`call.intent ${name}`) && seen.includes(`call.outcome ${name}`),
        name,
      );
    }
    await assert.rejects(client.readResource({ uri: "test://nothing" }), /not found/i);
    await assert.rejects(client.readResource({ uri: "file:///etc/passwd" }), /not found/i);
  });
});

Deno.test("what policy hides is in no list and cannot be got", async () => {
  await withPassed("", async (client) => {
    const { prompts } = await client.listPrompts();
    assert.ok(prompts.length > 0);
    assert.ok(!prompts.some(({ name }) => name === "test_prompt_with_image"));
    await assert.rejects(client.getPrompt({ name: "test_prompt_with_image" }), /Unknown prompt/);
  });
});

Deno.test("content that is not a text, and progress, reach the client unchanged", async () => {
  await withPassed("", async (client) => {
    const image = await client.callTool({ name: "test_image_content", arguments: {} });
    assert.deepEqual(image.content.map(({ type }) => type), ["image"]);
    const heard: unknown[] = [];
    await client.callTool({ name: "test_tool_with_progress", arguments: {} }, {
      onprogress: (progress) => heard.push(progress),
    });
    assert.deepEqual(heard.slice(0, 2), [
      { progress: 0, total: 100, message: "Step 0 of 100" },
      { progress: 50, total: 100, message: "Step 50 of 100" },
    ]);
  });
});

Deno.test("where policy redacts, only what was redacted passes", async () => {
  const output =
    "output: { redact: [{ name: a, pattern: 'stat*' }, { name: b, pattern: 'Multi*' }] }";
  await withPassed(output, async (client) => {
    const { contents } = await client.readResource({ uri: "test://static-text" });
    assert.match(JSON.stringify(contents), /content of the/);
    assert.doesNotMatch(JSON.stringify(contents.map(({ uri: _, ...rest }) => rest)), /static/);
    const mixed = await client.callTool({ name: "test_multiple_content_types", arguments: {} });
    assert.deepEqual(mixed.content.map(({ type }) => type), ["text", "image", "resource"]);
    assert.doesNotMatch(JSON.stringify(mixed.content), /Multiple/);
    const heard: { message?: string }[] = [];
    await client.callTool({ name: "test_tool_with_progress", arguments: {} }, {
      onprogress: (progress) => heard.push(progress),
    });
    assert.ok(heard.length > 0 && heard.every(({ message }) => message === undefined));
  });
});
