import assert from "node:assert/strict";
import { createApiClient } from "../../src/cli/api_client.ts";
import { GateError } from "../../src/model/errors.ts";

function client(answer: (request: Request) => Response | Promise<Response>) {
  return createApiClient({
    isService: true,
    url: "http://127.0.0.1:8484",
    token: "secret",
    fetch: async (request) => await answer(request),
  });
}

async function failure(answer: (request: Request) => Response | Promise<Response>) {
  const error = await client(answer).call("GET /health").then(() => null, (thrown) => thrown);
  return error instanceof GateError ? error : assert.fail("no GateError");
}

Deno.test("createApiClient() sends method, query, body and token", async () => {
  let seen: Request | undefined;
  const answer = await client((request) => {
    seen = request;
    return Response.json({ ok: true });
  }).call("POST /tools/:name/approve", { params: { name: "a/b.c" }, body: { pin: "p" } });
  assert.deepEqual(answer, { ok: true });
  assert.equal(seen?.method, "POST");
  assert.equal(seen?.url, "http://127.0.0.1:8484/api/v1/tools/a%2Fb.c/approve");
  assert.equal(seen?.headers.get("authorization"), "Bearer secret");
  assert.deepEqual(await seen?.json(), { pin: "p" });
});

Deno.test("createApiClient() leaves out of query and headers what is undefined", async () => {
  const seen: Request[] = [];
  const service = client((request) => {
    seen.push(request);
    return new Response("a,b");
  });
  const query = { by: "tool", since: 5, until: undefined, format: "csv" } as const;
  assert.equal(await (await service.send("GET /usage", { query })).text(), "a,b");
  assert.equal(seen[0]?.method, "GET");
  assert.equal(seen[0]?.url, "http://127.0.0.1:8484/api/v1/usage?by=tool&since=5&format=csv");
  assert.equal(seen[0]?.headers.has("content-type"), false);
  const body = { task: "t", model: "m", inputTokens: 1, outputTokens: 2 };
  await service.send("POST /usage", { headers: { "idempotency-key": "once" }, body });
  await service.send("POST /usage", { headers: { "idempotency-key": undefined }, body });
  assert.deepEqual(
    seen.slice(1).map(({ headers }) => headers.get("idempotency-key")),
    ["once", null],
  );
});

Deno.test("createApiClient() turns a problem document into its error", async () => {
  const error = await failure(() =>
    Response.json(
      { code: "ERR_POLICY_DENIED", title: "Denied", hint: "Ask less", tool: "a.b", status: 403 },
      { status: 403 },
    )
  );
  assert.deepEqual(
    [error.code, error.message, error.hint, error.tool],
    ["ERR_POLICY_DENIED", "Denied", "Ask less", "a.b"],
  );
});

Deno.test("createApiClient() survives an answer that is not a problem document", async () => {
  for (const body of ["<html>", "null", "7", ""]) {
    const error = await failure(() => new Response(body, { status: 502 }));
    assert.equal(error.code, "ERR_INTERNAL");
    assert.match(error.message, /answered 502/);
  }
});

Deno.test("createApiClient() says that a service cannot be reached", async () => {
  const error = await failure(() => Promise.reject(new TypeError("connection refused")));
  assert.equal(error.code, "ERR_NOT_REACHABLE");
  assert.match(error.message, /http:\/\/127\.0\.0\.1:8484/);
});

Deno.test("createApiClient() says what it does not know when the connection ends before the answer", async () => {
  for (const sent of ["", 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"executionId":']) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const url = `http://127.0.0.1:${listener.addr.port}`;
    const cutting = (async () => {
      for await (const connection of listener) {
        await connection.read(new Uint8Array(4_096));
        if (sent !== "") await connection.write(new TextEncoder().encode(sent));
        connection.close();
      }
    })();
    const service = createApiClient({ isService: true, url, token: "t", fetch });
    const failure = (answer: Promise<unknown>) =>
      answer.then(() => assert.fail("answered"), (error) => error as GateError);
    const execute = () => failure(service.call("POST /execute", { body: {} }));
    assert.equal((await failure(service.call("GET /health"))).code, "ERR_NOT_REACHABLE");
    const { code, hint } = await execute();
    assert.equal(code, "ERR_OUTCOME_UNKNOWN");
    assert.match(hint, /may have been done/);
    listener.close();
    await cutting;
    // Nobody listens: the request never left.
    assert.equal((await execute()).code, "ERR_NOT_REACHABLE");
  }
});
