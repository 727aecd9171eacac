import assert from "node:assert/strict";
import { apiPath, createApiClient } from "../../src/cli/api_client.ts";
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
  const error = await client(answer).ask({ path: "/x" }).then(() => null, (thrown) => thrown);
  return error instanceof GateError ? error : assert.fail("no GateError");
}

Deno.test("createApiClient() sends method, query, body and token", async () => {
  let seen: Request | undefined;
  const answer = await client((request) => {
    seen = request;
    return Response.json({ ok: true });
  }).ask({
    method: "POST",
    path: apiPath("tools", "a/b.c", "approve"),
    query: { space: "x y", none: undefined },
    body: { n: 1 },
  });
  assert.deepEqual(answer, { ok: true });
  assert.equal(seen?.url, "http://127.0.0.1:8484/api/v1/tools/a%2Fb.c/approve?space=x+y");
  assert.equal(seen?.headers.get("authorization"), "Bearer secret");
  assert.deepEqual(await seen?.json(), { n: 1 });
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

Deno.test("createApiClient() survives an answer that is no problem document", async () => {
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
    const failure = (method: "GET" | "POST") =>
      service.ask({ method, path: "/execute", ...(method === "POST" ? { body: {} } : {}) })
        .then(() => assert.fail("answered"), (error) => error as GateError);
    assert.equal((await failure("GET")).code, "ERR_NOT_REACHABLE");
    const { code, hint } = await failure("POST");
    assert.equal(code, "ERR_OUTCOME_UNKNOWN");
    assert.match(hint, /may have been done/);
    listener.close();
    await cutting;
    // Nobody listens: the request never left.
    assert.equal((await failure("POST")).code, "ERR_NOT_REACHABLE");
  }
});
