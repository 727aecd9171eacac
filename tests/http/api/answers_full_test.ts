/**
 * Each route of the API against a real service. What it is sent and what it answers with is held against
 * the document that the service gives of itself; an answer with a field that the document lacks fails.
 */
import assert from "node:assert/strict";
import { type Schema, Validator } from "@cfworker/json-schema";
import { type ApiClient, createApiClient } from "../../../src/cli/api_client.ts";
import type { RouteArguments, RouteName } from "../../../src/http/api/client_types.ts";
import { fillPath, splitKey } from "../../../src/http/api/route_key.ts";
import { ROUTES } from "../../../src/http/api/routes.ts";
import type { ApiDocument, DocumentSchema, Operation } from "../../fakes/api_document.ts";
import { type TestApp, withApp } from "../../fakes/app.ts";
import { startHttpMcpServer } from "../../fakes/http_mcp_server.ts";

/** Routes that a test of this file asked. */
const asked = new Set<RouteName>();

interface Checked {
  /** Asks a route; its answer must have a status, a media type and a form of the document. */
  readonly ask: <Name extends RouteName>(
    route: Name,
    ...input: RouteArguments<Name>
  ) => Promise<Response>;
  readonly client: ApiClient;
}

async function withChecked(
  config: { readonly [key: string]: unknown },
  use: (checked: Checked, test: TestApp) => Promise<void>,
): Promise<void> {
  await withApp(config, async (test) => {
    const document: ApiDocument = await test.json("GET", "/openapi.json");
    const sent: Request[] = [];
    const client = createApiClient({
      isService: true,
      url: "http://127.0.0.1",
      token: test.app.localToken,
      fetch: (request) => {
        sent.push(request.clone());
        return test.app.fetch(request);
      },
    });
    await use({
      client,
      ask: async (route, ...input) => {
        asked.add(route);
        const operation = operationOf(document, route);
        const response = await client.send(route, ...input);
        await checkRequest(route, operation, sent.at(-1));
        await checkAnswer(route, operation, response);
        return response;
      },
    }, test);
  });
}

function operationOf(document: ApiDocument, route: RouteName): Operation {
  const { method, path } = splitKey(route);
  const operations = document.paths[fillPath(path, (name) => `{${name}}`)];
  const found = Object.entries(operations ?? {}).find(([name]) => name === method.toLowerCase());
  return found?.[1] ?? assert.fail(`${route} is not described`);
}

async function checkRequest(route: RouteName, operation: Operation, request?: Request) {
  assert.ok(request, route);
  const known = operation.parameters.filter((parameter) => parameter.in === "query");
  for (const name of new URL(request.url).searchParams.keys()) {
    assert.ok(known.some((parameter) => parameter.name === name), `${route}: ${name}`);
  }
  if (request.body === null) return assert.equal(operation.requestBody, undefined, route);
  const schema = operation.requestBody?.content["application/json"]?.schema;
  assertFits(schema, await request.json(), `${route}, body`);
}

async function checkAnswer(route: RouteName, operation: Operation, response: Response) {
  const content = operation.responses[response.status]?.content;
  assert.ok(content, `${route} answered ${response.status}`);
  const type = response.headers.get("content-type") ?? "";
  const mediaType = Object.keys(content).find((one) => type.split(";")[0] === one.split(";")[0]);
  assert.ok(mediaType, `${route} answered ${type}`);
  if (mediaType !== "application/json") return;
  assertFits(content[mediaType]?.schema, await response.clone().json(), `${route}, answer`);
}

function assertFits(schema: DocumentSchema | undefined, value: unknown, place: string): void {
  assert.ok(schema, place);
  const { valid, errors } = new Validator(closed(schema) as Schema, "2020-12", false).validate(
    value,
  );
  const told = errors.map(({ instanceLocation, error }) => `${instanceLocation} ${error}`);
  assert.ok(valid, `${place}: ${told.join("; ")}`);
}

/** The schema without room for fields that it does not name. */
function closed(schema: DocumentSchema): DocumentSchema {
  return JSON.parse(JSON.stringify(schema), (_, value) => {
    const isOpen = value?.type === "object" && value.properties !== undefined &&
      value.additionalProperties === undefined;
    return isOpen ? { ...value, additionalProperties: false } : value;
  });
}

const LIST = `return (await tools.orders.list({ since: "2026-04-01" })).length`;

Deno.test("programs, the catalog, records and usage answer as the document says", async () => {
  await withChecked({}, async ({ ask, client }) => {
    await ask("POST /search", { body: { query: "list orders", detail: "full", space: "default" } });
    const ran = await ask("POST /execute", { body: { code: LIST, space: "default" } });
    const { executionId } = await ran.json();
    for (
      const code of [
        `console.log("a"); throw new Error("b")`,
        `return await tools.orders.update({ id: "ord-00001", status: "cancelled" })`,
        "return (",
        "while (true) {}",
      ]
    ) {
      await ask("POST /execute", { body: { code, timeoutMs: 1_000 } });
    }
    const plan = `await tools.invoices.markPaid({ id: "inv-00001" }); return 1`;
    await ask("POST /execute", { body: { code: plan, dryRun: true } });
    await ask("GET /types", { query: { space: "default" } });

    await ask("GET /tools");
    const params = { name: "orders.list" };
    await ask("GET /tools/:name", { params, query: { space: "default" } });
    const { diff } = await client.call("GET /tools/:name/diff", { params });
    await ask("GET /tools/:name/diff", { params });
    await ask("GET /tools/:name/diff", { params: { name: "orders.nothing" } });
    const body = { pin: diff?.pin ?? assert.fail("the tool is listed") };
    await ask("POST /tools/:name/block", { params, body });
    await ask("GET /tools/:name/diff", { params });
    await ask("GET /tools");
    await ask("POST /tools/:name/approve", { params, body });
    await ask("GET /pins");

    await ask("GET /audit", { query: { limit: 2 } });
    await ask("GET /audit", { query: { limit: 1_000, since: 5 } });
    await ask("GET /audit/calls", { query: { where: 'args.since == "2026-04-01"' } });
    await ask("GET /audit/:id", { params: { id: executionId } });
    await ask("GET /audit/:id", { params: { id: `${executionId}:0` } });
    await (await ask("GET /audit/stream")).body?.cancel();
    for (const format of ["jsonl", "csv", "ocsf", "cef", "parquet"] as const) {
      await ask("GET /audit/export", { query: { format, kind: "call.outcome" } });
    }
    await ask("POST /audit/verify");
    await ask("POST /audit/replay/:execution", { params: { execution: executionId } });

    await ask("POST /feedback", { body: { execution: executionId, success: true, note: "n" } });
    const used = { execution: executionId, model: "m", inputTokens: 5, outputTokens: 6, usd: 1 };
    await ask("POST /usage", { body: used, headers: { "idempotency-key": "once" } });
    await ask("GET /usage", { query: { by: "tool" } });
    await ask("GET /usage", { query: { format: "csv" } });
  });
});

const POLICY = `
version: 1
name: answers
groups: { eng: { claim: groups, has: eng } }
tools: { files: { read: ["*"] } }
rules:
  - { id: read, allow: read }
  - { id: ada, ask: read, tools: [files.echo], when: 'args.text == "ada"', by: owner, message: "Sure?" }
limits:
  - { id: hourly, per: user, max: 100, unit: calls, every: 1h }
  - { id: sum, per: tenant, max: 10, unit: args.bytes, every: 1d, tools: [files.big], over: ask, by: owner }
output: { redact: [secrets, { name: "id", pattern: "id-*" }], max: { bytes: 1048576 } }
tests:
  - { as: { groups: [eng] }, call: files.fail, args: {}, expect: allow }
`;

Deno.test("policy, keys and health answer as the document says", async () => {
  await using upstream = startHttpMcpServer("stateless");
  const config = {
    policy: POLICY,
    mcpServers: { files: { url: upstream.url }, gone: { command: "/nowhere/at/all" } },
  };
  await withChecked(config, async ({ ask, client }, { folder }) => {
    await ask("GET /tools");
    const { rejected } = await client.call("GET /policy");
    assert.equal(rejected, null);
    await ask("GET /policy");
    await ask("POST /policy/reload");
    const call = { call: "files.echo", args: { text: "ada" } };
    await ask("POST /policy/explain", { body: { ...call, as: { groups: ["eng"], x: 1 } } });
    await ask("POST /policy/explain", { body: { call: "files.nothing" } });
    await ask("POST /policy/check");
    await ask("POST /policy/test");
    const bad = POLICY.replace("expect: allow", "expect: deny").replace(
      "args.name ==",
      "args.nme ==",
    );
    await Deno.writeTextFile(`${folder}/policy.yaml`, bad);
    const { failures } = await client.call("POST /policy/test");
    const { problems } = await client.call("POST /policy/check");
    assert.deepEqual([failures.length > 0, problems.length > 0], [true, true]);
    await ask("POST /policy/test");
    await ask("POST /policy/check");
    await ask("POST /policy/reload");
    const made = await ask("POST /keys", { body: { name: "ci", groups: ["nobody"] } });
    const { id } = await made.json();
    await ask("GET /keys");
    await ask("DELETE /keys/:id", { params: { id } });
    await ask("GET /health");
  });
});

Deno.test("an answer with a field that the document lacks is found", () => {
  const fields = { a: { type: "string" }, b: { anyOf: [{ type: "object", properties: {} }] } };
  const schema: DocumentSchema = { type: "object", properties: fields, required: ["a"] };
  assertFits(schema, { a: "1", b: {} }, "x");
  for (const answer of [{ a: "1", c: 1 }, { a: "1", b: { c: 1 } }, { b: {} }, { a: 1 }]) {
    assert.throws(() => assertFits(schema, answer, "x"), /^AssertionError.*x: /);
  }
});

/** Takes minutes; what it answers with is compared with its schema in `operations/attack_test.ts`. */
const TOO_SLOW = "POST /attack";

Deno.test("every route of the table was asked", () => {
  const missing = ROUTES.map(({ key }) => key)
    .filter((key) => key !== TOO_SLOW && !asked.has(key));
  assert.deepEqual(missing, [], "ask the new route in one of the tests above");
});
