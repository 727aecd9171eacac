import assert from "node:assert/strict";
import fc from "fast-check";
import { GateError } from "../../../src/model/errors.ts";
import { documentOf, startEchoApi } from "../../fakes/echo_api.ts";
import { callOf } from "../../fakes/upstream_parts.ts";

const withCode = (code: string) => (error: unknown) =>
  error instanceof GateError && error.code === code;
const any = {};

function parameter(name: string, place: string, more: { [key: string]: unknown } = {}) {
  return { name, in: place, required: place === "path", schema: any, ...more };
}

/** Sends one call to a document of one operation and says what arrived. */
async function send(
  path: string,
  method: string,
  operation: { [key: string]: unknown },
  args: { [name: string]: unknown },
) {
  await using api = await startEchoApi(documentOf(path, method, operation));
  await api.upstreams.call(callOf("api", "op", args));
  return api.seen();
}

const list = ["blue", "black"];
const object = { R: 100, G: 200 };

Deno.test("path parameters are written in every style", async () => {
  const cases: readonly (readonly [string, boolean, unknown, string])[] = [
    ["simple", false, "blue", "/c/blue"],
    ["simple", false, list, "/c/blue,black"],
    ["simple", false, object, "/c/R,100,G,200"],
    ["simple", true, object, "/c/R=100,G=200"],
    ["label", false, "blue", "/c/.blue"],
    ["label", false, list, "/c/.blue,black"],
    ["label", true, list, "/c/.blue.black"],
    ["label", true, object, "/c/.R=100.G=200"],
    ["matrix", false, "blue", "/c/;color=blue"],
    ["matrix", false, list, "/c/;color=blue,black"],
    ["matrix", true, list, "/c/;color=blue;color=black"],
    ["matrix", true, object, "/c/;R=100;G=200"],
  ];
  for (const [style, explode, color, path] of cases) {
    const parameters = [parameter("color", "path", { style, explode })];
    const seen = await send("/c/{color}", "get", { parameters }, { color });
    assert.equal(seen.path, path, `${style} ${explode}`);
  }
});

Deno.test("query parameters are written in every style", async () => {
  const cases: readonly (readonly [string, boolean | undefined, unknown, string])[] = [
    ["form", undefined, "a b&c", "q=a%20b%26c"],
    ["form", undefined, list, "q=blue&q=black"],
    ["form", false, list, "q=blue,black"],
    ["form", false, ["a,b", "c&d"], "q=a%2Cb,c%26d"],
    ["form", undefined, object, "R=100&G=200"],
    ["form", false, object, "q=R,100,G,200"],
    ["spaceDelimited", false, list, "q=blue%20black"],
    ["pipeDelimited", false, list, "q=blue%7Cblack"],
    ["deepObject", true, object, "q[R]=100&q[G]=200"],
    ["deepObject", true, { a: { b: [1, { c: 2 }] } }, "q[a][b][0]=1&q[a][b][1][c]=2"],
    ["form", undefined, [], ""],
    ["form", undefined, true, "q=true"],
    ["form", undefined, null, "q="],
  ];
  for (const [style, explode, q, query] of cases) {
    const parameters = [parameter("q", "query", { style, explode })];
    assert.equal(
      (await send("/s", "get", { parameters }, { q })).query,
      query,
      `${style} ${explode}`,
    );
  }
  const reserved = [parameter("q", "query", { allowReserved: true })];
  const seen = await send("/s", "get", { parameters: reserved }, { q: "a/b?c=d&e#f+g" });
  assert.equal(seen.query, "q=a/b?c=d%26e%23f%2Bg");
  const json = [{ name: "q", in: "query", content: { "application/json": { schema: any } } }];
  assert.equal(
    (await send("/s", "get", { parameters: json }, { q: object })).query,
    "q=%7B%22R%22%3A100%2C%22G%22%3A200%7D",
  );
});

Deno.test("headers and cookies are written", async () => {
  const parameters = [
    parameter("X-List", "header"),
    parameter("X-Map", "header", { explode: true }),
    parameter("session", "cookie"),
    parameter("theme", "cookie"),
  ];
  const seen = await send("/h", "get", { parameters }, {
    "X-List": list,
    "X-Map": object,
    session: "a b",
    theme: "dark",
  });
  assert.equal(seen.headers["x-list"], "blue,black");
  assert.equal(seen.headers["x-map"], "R=100,G=200");
  assert.equal(seen.headers.cookie, "session=a%20b; theme=dark");
});

Deno.test("a value cannot break out of its place", async () => {
  const path = { parameters: [parameter("id", "path")] };
  await using api = await startEchoApi(documentOf("/users/{id}/keys", "get", path));
  for (const id of ["..", ".", "", "%2e%2E", ".%2e"]) {
    const calling = api.upstreams.call(callOf("api", "op", { id }));
    if (id.includes("%")) {
      await calling;
      assert.match(api.seen().path, /^\/users\/[^/]+\/keys$/);
    } else await assert.rejects(calling, withCode("ERR_INVALID_ARGUMENTS"), id);
  }
  await assert.rejects(
    api.upstreams.call(callOf("api", "op", {})),
    withCode("ERR_INVALID_ARGUMENTS"),
  );
  for (const id of ["a/b", "../../admin", "a?b=c", "a#b", "a\\..\\b", "//evil", "@evil"]) {
    await api.upstreams.call(callOf("api", "op", { id }));
    assert.equal(decodeURIComponent(api.seen().path), `/users/${id}/keys`);
    assert.equal(api.seen().path.split("/").length, 4);
    assert.equal(api.seen().query, "");
  }
  const header = { parameters: [parameter("X-A", "header")] };
  await using headers = await startEchoApi(documentOf("/h", "get", header));
  for (const value of ["a\r\nX-Evil: 1", "a\0b", "snow ☃"]) {
    await assert.rejects(
      headers.upstreams.call(callOf("api", "op", { "X-A": value })),
      withCode("ERR_INVALID_ARGUMENTS"),
    );
  }
  await assert.rejects(
    api.upstreams.call(callOf("api", "op", { id: "\ud800" })),
    withCode("ERR_INVALID_ARGUMENTS"),
  );
});

Deno.test("whatever a value is, it stays one segment of the path", async () => {
  const operation = { parameters: [parameter("id", "path")] };
  await using api = await startEchoApi(documentOf("/a/{id}/z", "get", operation));
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme", minLength: 1 }), async (id) => {
      try {
        await api.upstreams.call(callOf("api", "op", { id }));
      } catch (error) {
        assert.ok(withCode("ERR_INVALID_ARGUMENTS")(error));
        return;
      }
      assert.match(api.seen().path, /^\/a\/[^/]+\/z$/);
    }),
    { numRuns: 200 },
  );
});

function body(contentType: string, schema: unknown, more: { [key: string]: unknown } = {}) {
  return { requestBody: { required: true, content: { [contentType]: { schema, ...more } } } };
}

Deno.test("a JSON body is made of the arguments that no parameter takes", async () => {
  const operation = {
    parameters: [parameter("id", "path")],
    ...body("application/merge-patch+json", {
      type: "object",
      properties: { name: any, nested: any },
    }),
  };
  const args = { id: "7", name: "Ada", nested: { a: [1] } };
  const seen = await send("/u/{id}", "patch", operation, args);
  assert.equal(seen.method, "PATCH");
  assert.equal(seen.path, "/u/7");
  assert.equal(seen.headers["content-type"], "application/merge-patch+json");
  assert.deepEqual(JSON.parse(seen.body), { name: "Ada", nested: { a: [1] } });
  const whole = await send("/l", "post", body("application/json", { type: "array" }), {
    body: [1, 2],
  });
  assert.equal(whole.body, "[1,2]");
});

Deno.test("a body that nobody needs is left out when it is empty", async () => {
  const operation = {
    requestBody: {
      content: { "application/json": { schema: { type: "object", properties: { a: any } } } },
    },
  };
  const seen = await send("/x", "post", operation, {});
  assert.equal(seen.body, "");
  assert.equal(seen.headers["content-type"], undefined);
});

Deno.test("a form body is written field by field", async () => {
  const schema = {
    type: "object",
    properties: { name: any, tags: any, metadata: any, csv: any },
  };
  const encoding = {
    metadata: { style: "deepObject", explode: true },
    csv: { style: "form", explode: false },
  };
  const operation = body("application/x-www-form-urlencoded", schema, { encoding });
  const seen = await send("/f", "post", operation, {
    name: "A & B",
    tags: ["x", "y"],
    metadata: { k: "v", n: { m: 1 } },
    csv: [1, 2],
  });
  assert.equal(seen.headers["content-type"], "application/x-www-form-urlencoded");
  assert.equal(
    seen.body,
    "name=A%20%26%20B&tags=x&tags=y&metadata[k]=v&metadata[n][m]=1&csv=1,2",
  );
});

Deno.test("a multipart body carries files and JSON parts", async () => {
  const operation = body("multipart/form-data", {
    type: "object",
    properties: { file: { type: "string", format: "binary" }, note: any, data: { type: "object" } },
  });
  const seen = await send("/m", "post", operation, {
    file: { base64: btoa("bytes"), filename: "a.bin", contentType: "image/png" },
    note: "hello",
    data: { a: 1 },
  });
  const form = await new Response(seen.body, { headers: seen.headers }).formData();
  const file = form.get("file") as File;
  assert.equal(file.name, "a.bin");
  assert.equal(file.type, "image/png");
  assert.equal(await file.text(), "bytes");
  assert.equal(form.get("note"), "hello");
  // With a file name it would be an upload to the server, and not a field.
  assert.match(
    seen.body,
    /form-data; name="data"\r\nContent-Type: application\/json\r\n\r\n\{"a":1\}\r\n/,
  );
});

Deno.test("a file of a multipart body may be given as text, and several as a list", async () => {
  const file = { type: "string", format: "binary" };
  const operation = body("multipart/form-data", {
    type: "object",
    properties: { doc: file, more: { type: "array", items: file } },
  });
  const seen = await send("/m", "post", operation, {
    doc: "naïve",
    more: ["one", { base64: btoa("two"), filename: 'a"b\r\n.txt' }],
  });
  const form = await new Response(seen.body, { headers: seen.headers }).formData();
  const doc = form.get("doc") as File;
  assert.deepEqual([doc.name, await doc.text()], ["doc", "naïve"]);
  const more = form.getAll("more") as File[];
  assert.deepEqual(await Promise.all(more.map((each) => each.text())), ["one", "two"]);
  assert.match(seen.body, /filename="a%22b%0D%0A\.txt"/);
  await assert.rejects(
    send("/m", "post", operation, { doc: { base64: "", contentType: "a/b\r\nX-Evil: 1" } }),
    withCode("ERR_INVALID_ARGUMENTS"),
  );
});

Deno.test("a patch is sent as the object that it is, where the API takes one", async () => {
  const content = {
    "application/json-patch+json": { schema: any },
    "application/merge-patch+json": { schema: any },
  };
  const seen = await send("/p", "patch", { requestBody: { content } }, { body: { a: 1 } });
  assert.equal(seen.headers["content-type"], "application/merge-patch+json");
  const both = { "application/vnd.x+json": { schema: any }, "application/json": { schema: any } };
  const plain = await send("/p", "post", { requestBody: { content: both } }, { body: 1 });
  assert.equal(plain.headers["content-type"], "application/json");
});

Deno.test("text and binary bodies are sent as they are", async () => {
  const text = await send("/t", "put", body("text/markdown", { type: "string" }), { body: "# Hi" });
  assert.equal(text.headers["content-type"], "text/markdown");
  assert.equal(text.body, "# Hi");
  const octets = body("application/octet-stream", { type: "string", format: "binary" });
  const binary = await send("/b", "put", octets, { body: { base64: btoa("raw") } });
  assert.equal(binary.headers["content-type"], "application/octet-stream");
  assert.equal(binary.body, "raw");
});

Deno.test("every call carries its idempotency key and trace, and asks for the declared type", async () => {
  const operation = {
    responses: { 200: { content: { "application/vnd.api+json": { schema: any } } } },
  };
  await using api = await startEchoApi(documentOf("/x", "post", operation));
  await api.upstreams.call(
    callOf("api", "op", {}, { idempotencyKey: "e:1", traceparent: "00-a-b-01" }),
  );
  const { headers } = api.seen();
  assert.equal(headers["idempotency-key"], "e:1");
  assert.equal(headers.traceparent, "00-a-b-01");
  assert.match(headers.accept ?? "", /^application\/vnd\.api\+json/);
});

Deno.test("an idempotency key that the operation takes as a parameter is the caller's", async () => {
  const operation = { parameters: [parameter("Idempotency-Key", "header")] };
  const seen = await send("/x", "post", operation, { "Idempotency-Key": "mine" });
  assert.equal(seen.headers["idempotency-key"], "mine");
});
