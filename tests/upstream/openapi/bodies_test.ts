import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import { documentOf, startEchoApi } from "../../fakes/echo_api.ts";
import { callOf } from "../../fakes/upstream_parts.ts";

type Object = { readonly [key: string]: unknown };

/** Sends one call and gives the content type and the body that arrived. */
async function send(contentType: string, schema: unknown, value: unknown, more: Object = {}) {
  const requestBody = { required: true, content: { [contentType]: { schema, ...more } } };
  await using api = await startEchoApi(documentOf("/b", "post", { requestBody }));
  const isFields = /json|form/.test(contentType) && !/nd-?json|jsonl|seq/.test(contentType);
  const args = isFields ? value as Object : { body: value };
  await api.upstreams.call(callOf("api", "op", args));
  const { headers, body } = api.seen();
  return `${headers["content-type"]?.replace(/boundary=.*/, "")}|${body}`;
}

/** One call of a Swagger 2 document. */
async function sendSwagger(path: string, operation: Object, args: Object) {
  await using api = await startEchoApi({
    swagger: "2.0",
    info: { title: "s", version: "1" },
    paths: { [path]: { post: { operationId: "op", responses: {}, ...operation } } },
  });
  await api.upstreams.call(callOf("api", "op", args));
  return api.seen();
}

const isRefused = (words: RegExp) => (error: unknown) =>
  error instanceof GateError && error.code === "ERR_INVALID_ARGUMENTS" && words.test(error.message);
const binary = { type: "string", format: "binary" };
const text = { type: "string" };
const PNG = "iVBORw0KGgo=";

Deno.test("a range of media types becomes a type that says what the bytes are", async () => {
  assert.match(await send("image/*", binary, { base64: PNG }), /^image\/png\|/);
  assert.match(await send("image/*", binary, { base64: "AAEC" }), /^application\/octet-stream\|/);
  assert.match(
    await send("image/*", binary, { base64: "AAEC", contentType: "image/heic" }),
    /^image\/heic\|/,
  );
  assert.equal(await send("text/*", text, "hi"), "text/plain|hi");
  assert.equal(await send("text/*", text, "hé"), "text/plain; charset=utf-8|hé");
  assert.equal(await send("*/*", binary, '{"a":1}'), 'application/octet-stream|{"a":1}');
  assert.equal(await send("*/*", text, { base64: "aGk=" }), "application/octet-stream|hi");
  assert.equal(await send("*/*", { type: "object" }, { a: 1 }), 'application/json|{"a":1}');
  assert.equal(await send("application/*", { type: "array" }, [1]), "application/json|[1]");
  assert.equal(await send("*/*", undefined, { a: 1 }), 'application/json|{"a":1}');
  assert.equal(await send("*/*", undefined, "a"), "application/octet-stream|a");
});

Deno.test("a file is given as bytes, as text, or as the block of another result", async () => {
  const block = {
    type: "resource",
    resource: { uri: "response:", mimeType: "image/png", blob: PNG },
  };
  assert.match(await send("application/octet-stream", binary, block), /^image\/png\|.PNG/);
  const image = { type: "image", data: PNG, mimeType: "image/png" };
  assert.match(await send("image/*", binary, image), /^image\/png\|.PNG/);
  await assert.rejects(send("image/*", binary, { type: "audio" }), isRefused(/a file is a text/));
  // A text is not a picture: it can only be base64.
  assert.match(await send("image/png", binary, PNG), /^image\/png\|.PNG/);
  await assert.rejects(send("image/png", binary, "a picture"), isRefused(/Uint8Array or \{base64/));
  assert.equal(
    await send("application/octet-stream", binary, "AAEC"),
    "application/octet-stream|AAEC",
  );
  assert.equal(await send("text/csv", text, { base64: "YQ==" }), "text/csv|a");
});

Deno.test("an object becomes XML as its XML Objects say", async () => {
  const schema = {
    type: "object",
    xml: { name: "pet", namespace: "urn:p", prefix: "p" },
    properties: {
      id: { type: "integer", format: "int64", xml: { attribute: true } },
      name: { type: "string", xml: { name: "title" } },
      plain: { type: "array", items: text, xml: { name: "ignored" } },
      tags: {
        type: "array",
        items: { type: "string", xml: { name: "tag" } },
        xml: { wrapped: true },
      },
      own: { type: "array", items: text, xml: { wrapped: true, name: "owns" } },
      inner: { allOf: [{ type: "object", properties: { a: { type: "boolean" } } }] },
    },
  };
  const value = {
    id: 9007199254740993n,
    name: "a<b>&c",
    plain: [1, 2],
    tags: ["x"],
    own: ["y"],
    inner: { a: true },
    empty: null,
  };
  assert.equal(
    await send("application/xml", schema, value),
    'application/xml|<p:pet xmlns:p="urn:p" id="9007199254740993"><title>a&lt;b&gt;&amp;c</title>' +
      "<plain>1</plain><plain>2</plain><tags><tag>x</tag></tags><owns><owns>y</owns></owns>" +
      "<inner><a>true</a></inner><empty/></p:pet>",
  );
  const list = { type: "array", xml: { name: "all" }, items: { ...text, xml: { name: "one" } } };
  assert.equal(await send("text/xml", list, ["a"]), "text/xml|<all><one>a</one></all>");
  assert.equal(await send("application/soap+xml", schema, "<x/>"), "application/soap+xml|<x/>");
  await assert.rejects(send("text/xml", schema, { "a b": 1 }), isRefused(/not a name of an XML/));
  await assert.rejects(send("text/xml", schema, { name: "\0" }), isRefused(/XML cannot hold/));
});

Deno.test("lists become lines and rows", async () => {
  const rows = { type: "array", items: { type: "object" } };
  assert.equal(
    await send("text/csv", rows, [{ a: 'x"y', b: 1 }, { a: "p,q", c: null }]),
    'text/csv|a,b,c\r\n"x""y",1,\r\n"p,q",,\r\n',
  );
  assert.equal(await send("text/csv", rows, [["a", "b"], [1, 2]]), "text/csv|a,b\r\n1,2\r\n");
  assert.equal(await send("text/csv", rows, "a\nx"), "text/csv|a\nx");
  assert.equal(
    await send("text/tab-separated-values", rows, [{ a: 1, b: "x" }]),
    "text/tab-separated-values|a\tb\r\n1\tx\r\n",
  );
  for (const type of ["application/x-ndjson", "application/jsonl", "application/ndjson"]) {
    assert.equal(await send(type, rows, [{ a: 1 }, { a: 2n }]), `${type}|{"a":1}\n{"a":2}\n`);
  }
  assert.equal(
    await send("application/json-seq", rows, [{ a: 1 }]),
    'application/json-seq|\x1e{"a":1}\n',
  );
});

Deno.test("JSON under the names that vendors have for it is JSON", async () => {
  const schema = { type: "object", properties: { id: { type: "integer", format: "int64" } } };
  for (
    const type of ["application/x-amz-json-1.1", "application/x-json", "application/vnd.a.v2+json"]
  ) {
    assert.equal(await send(type, schema, { id: 2n ** 60n }), `${type}|{"id":1152921504606846976}`);
  }
});

Deno.test("a text is sent in the charset of its type", async () => {
  await using api = await startEchoApi(documentOf("/b", "post", {
    requestBody: { content: { "text/plain; charset=iso-8859-1": { schema: text } } },
  }));
  await api.upstreams.call(callOf("api", "op", { body: "é" }));
  assert.equal(api.seen().headers["content-length"], "1");
  await assert.rejects(
    api.upstreams.call(callOf("api", "op", { body: "日" })),
    isRefused(/not a character of iso-8859-1/),
  );
  assert.equal(
    await send("text/plain; charset=shift_jis", text, "日"),
    "text/plain; charset=utf-8|日",
  );
});

Deno.test("a form writes its properties as their encoding says", async () => {
  const form = "application/x-www-form-urlencoded";
  const schema = {
    type: "object",
    properties: { meta: { type: "object" }, list: { type: "array", items: {} }, raw: text },
  };
  const encoding = {
    meta: { contentType: "application/json" },
    list: { contentType: "application/json" },
    raw: { allowReserved: true },
  };
  const value = { meta: { a: 1 }, list: [1, "b"], raw: "a/b&c" };
  assert.equal(
    await send(form, schema, value, { encoding }),
    `${form}|meta=%7B%22a%22%3A1%7D&list=%5B1%2C%22b%22%5D&raw=a/b%26c`,
  );
  // A style goes before a content type.
  const styled = { list: { style: "pipeDelimited", explode: false, contentType: "text/plain" } };
  assert.equal(
    await send(form, schema, { list: [1, 2] }, { encoding: styled }),
    `${form}|list=1%7C2`,
  );
});

Deno.test("parts of a form that are JSON are JSON, text too", async () => {
  const schema = {
    type: "object",
    properties: { tags: { type: "array", items: text }, meta: { type: "object" }, n: {} },
  };
  const json = { contentType: "application/json" };
  const sent = await send(
    "multipart/form-data",
    schema,
    { tags: ["a", '{"b":1}'], n: 5, meta: {} },
    {
      encoding: { tags: json, n: json, meta: { contentType: "application/vnd.x+json" } },
    },
  );
  const parts = sent.split(/--toolgate-[\w-]+/).slice(1, -1).map((part) =>
    part.replace("\r\nContent-Disposition: form-data; name=", "").trim().replaceAll("\r\n", "|")
  );
  assert.deepEqual(parts, [
    '"tags"|Content-Type: application/json||"a"',
    '"tags"|Content-Type: application/json||{"b":1}',
    '"n"|Content-Type: application/json||5',
    '"meta"|Content-Type: application/vnd.x+json||{}',
  ]);
});

Deno.test("Swagger 2 joins a list as its collectionFormat says, in every place", async () => {
  const list = (place: string, name: string, collectionFormat?: string, items: Object = text) => ({
    name,
    in: place,
    type: "array",
    items,
    required: place === "path",
    ...(collectionFormat === undefined ? {} : { collectionFormat }),
  });
  const value = ["a", "b c"];
  const formats = [[undefined, ",", ","], ["csv", ",", ","], ["ssv", " ", "%20"], [
    "tsv",
    "\t",
    "%09",
  ], [
    "pipes",
    "|",
    "%7C",
  ]] as const;
  for (const [format, char, encoded] of formats) {
    const parameters = [
      list("path", "p", format),
      list("query", "q", format),
      list("header", "X-H", format),
      list("formData", "f", format),
    ];
    const consumes = ["application/x-www-form-urlencoded"];
    const args = { p: value, q: value, "X-H": value, f: value };
    const seen = await sendSwagger("/x/{p}", { parameters, consumes }, args);
    assert.equal(seen.path, `/x/a${encoded}b%20c`, String(format));
    assert.equal(seen.query, `q=a${encoded}b%20c`);
    assert.equal(seen.headers["x-h"], `a${char}b c`);
    assert.equal(seen.body, `f=a${encoded}b%20c`);
    const parts = await sendSwagger(
      "/x/{p}",
      { parameters, consumes: ["multipart/form-data"] },
      args,
    );
    assert.match(parts.body, new RegExp(`name="f"\r\n\r\na[${char}]b c\r\n`));
  }
  const nested = list("query", "q", "multi", {
    type: "array",
    items: text,
    collectionFormat: "pipes",
  });
  const seen = await sendSwagger("/x", { parameters: [nested] }, { q: [["a", "b"], ["c"]] });
  assert.equal(seen.query, "q=a%7Cb&q=c");
});

Deno.test("a parameter with a content that is not JSON is written as it is", async () => {
  const content = (type: string) => ({ [type]: { schema: text } });
  const parameters = [
    { name: "id", in: "path", required: true, content: content("*/*") },
    { name: "f", in: "query", content: content("text/plain") },
    { name: "X-J", in: "header", content: content("application/json") },
  ];
  await using api = await startEchoApi(documentOf("/x/{id}", "get", { parameters }));
  await api.upstreams.call(callOf("api", "op", { id: "a b", f: "abc", "X-J": "j" }));
  const { path, query, headers } = api.seen();
  assert.deepEqual([path, query, headers["x-j"]], ["/x/a%20b", "f=abc", '"j"']);
});
