import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import { documentOf, startEchoApi } from "../../fakes/echo_api.ts";
import { callOf } from "../../fakes/upstream_parts.ts";

async function ask(
  response: () => Response,
  operation: { [key: string]: unknown } = {},
  method = "get",
  config: { [key: string]: unknown } = {},
) {
  await using api = await startEchoApi(documentOf("/x", method, operation), config, response);
  return await api.upstreams.call(callOf("api", "op"));
}

const typed = (type: string, body: BodyInit) => () =>
  new Response(body, { headers: { "content-type": type } });
const bytes = (...values: number[]) => new Uint8Array(values);
const textOf = (answer: { content: readonly unknown[] }) =>
  (answer.content[0] as { text?: string } | undefined)?.text;

Deno.test("a text is read in its charset", async () => {
  const rows: readonly (readonly [string, BodyInit, string])[] = [
    ["text/csv; charset=windows-1252", bytes(0x80, 0xfc), "€ü"],
    ['text/plain; charset="ISO-8859-1"', bytes(0xe9), "é"],
    ["text/plain; charset=shift_jis", bytes(0x93, 0xfa), "日"],
    ["text/plain; charset=utf-16le", bytes(0x61, 0), "a"],
    ["text/plain", bytes(0xff, 0xfe, 0x61, 0), "a"],
    ["text/plain", bytes(0xe9), "é"],
    ["text/plain; charset=nobody-knows", "é", "é"],
    ["text/plain", "é", "é"],
  ];
  for (const [type, body, text] of rows) {
    assert.equal(textOf(await ask(typed(type, body))), text, type);
  }
  const xml = Buffer.from('<?xml version="1.0" encoding="iso-8859-1"?><a>é</a>', "latin1");
  assert.match(textOf(await ask(typed("application/xml", xml))) ?? "", /<a>é<\/a>/);
  const json = Buffer.from('\ufeff{"a":"é"}', "utf16le");
  assert.deepEqual((await ask(typed("application/json; charset=utf-16", json))).structuredContent, {
    a: "é",
  });
});

Deno.test("all that is JSON is a value, also several of them", async () => {
  for (
    const type of [
      "application/x-amz-json-1.1",
      "application/x-json",
      "text/json",
      "application/vnd.acme.v2+json",
      "application/problem+json",
    ]
  ) {
    assert.deepEqual((await ask(typed(type, '{"a":1}'))).structuredContent, { a: 1 }, type);
  }
  for (const type of ["application/jsonl", "application/x-ndjson", "application/x-jsonlines"]) {
    const answer = await ask(typed(type, '{"a":1}\n\n{"a":9007199254740993}\n'));
    assert.deepEqual(answer.structuredContent, [{ a: 1 }, { a: "9007199254740993" }], type);
  }
  const sequence = await ask(typed("application/json-seq", '\x1e{"a":1}\n\x1e[2]\n'));
  assert.deepEqual(sequence.structuredContent, [{ a: 1 }, [2]]);
  assert.equal(textOf(await ask(typed("application/jsonl", '{"a":'))), '{"a":');
});

Deno.test("an integer that no number holds keeps its digits", async () => {
  const body = '{"id":9007199254740993,"list":[-9223372036854775808,5],"exp":1e400}';
  assert.deepEqual((await ask(typed("application/json", body))).structuredContent, {
    id: "9007199254740993",
    list: ["-9223372036854775808", 5],
    exp: "1e400",
  });
});

Deno.test("headers that the document declares come with the body", async () => {
  const operation = {
    responses: {
      201: {
        headers: {
          Location: { schema: { type: "string" } },
          "X-Total-Count": { $ref: "#/components/headers/Total" },
          "Set-Cookie": { schema: { type: "string" } },
        },
        content: { "application/json": { schema: { type: "array", items: {} } } },
      },
    },
  };
  const more = { components: { headers: { Total: { schema: { type: "integer" } } } } };
  const answer = () =>
    new Response("[1]", {
      status: 201,
      headers: {
        location: "/things/42",
        "x-total-count": "250",
        "set-cookie": "a=b",
        "x-other": "1",
        "content-type": "application/json",
      },
    });
  await using api = await startEchoApi(documentOf("/x", "post", operation, more), {}, answer);
  assert.deepEqual((await api.upstreams.call(callOf("api", "op"))).structuredContent, {
    body: [1],
    headers: { Location: "/things/42", "X-Total-Count": 250 },
  });
  const [tool] = (await api.upstreams.list("api")).tools as { outputSchema?: unknown }[];
  assert.deepEqual(tool?.outputSchema, {
    type: "object",
    properties: {
      body: { type: "array", items: {} },
      headers: {
        description: "Headers of the answer",
        type: "object",
        properties: {
          Location: { type: "string" },
          "X-Total-Count": { type: ["number", "string"] },
        },
      },
    },
    required: ["body", "headers"],
  });
  await using none = await startEchoApi(
    documentOf("/x", "post", operation, more),
    { responseHeaders: "none" },
    answer,
  );
  assert.deepEqual((await none.upstreams.call(callOf("api", "op"))).structuredContent, [1]);
});

Deno.test("an answer without a body shows where to go on, and HEAD what it is for", async () => {
  const made = () => new Response(null, { status: 202, headers: { "retry-after": "3" } });
  assert.deepEqual((await ask(made, {}, "post")).structuredContent, {
    body: null,
    headers: { "Retry-After": "3" },
  });
  const plain = () => new Response(null, { status: 204, headers: { "x-a": "1" } });
  assert.equal((await ask(plain)).structuredContent, null);
  const head = () => new Response(null, { headers: { etag: '"abc"' } });
  const { structuredContent } = await ask(head, {}, "head");
  assert.equal((structuredContent as { headers: { ETag: string } }).headers.ETag, '"abc"');
  const all = () => Response.json([], { headers: { link: "</2>; rel=next" } });
  const paged = await ask(all, {}, "get", { responseHeaders: "all" });
  assert.deepEqual(paged.structuredContent as { body: unknown; headers: { Link: string } }, {
    body: [],
    headers: { Link: "</2>; rel=next", "Content-Length": "2", "Content-Type": "application/json" },
  });
});

Deno.test("an API that is busy says how long to wait", async () => {
  const busy = async (status: number, headers: { [name: string]: string }) =>
    await ask(() => new Response("{}", { status, headers }));
  const waits = await busy(429, { "retry-after": "7" });
  assert.deepEqual([waits.isError, waits.retryAfterMs], [true, 7_000]);
  assert.match(waits.hint ?? "", /again in 7 s; wait/);
  const date = await busy(503, { "retry-after": new Date(Date.now() + 60_000).toUTCString() });
  assert.ok(date.retryAfterMs! > 50_000 && date.retryAfterMs! <= 60_000);
  const soon = String(Math.floor(Date.now() / 1_000) + 30);
  const reset = await busy(429, { "x-ratelimit-reset": soon });
  assert.ok(reset.retryAfterMs! > 20_000 && reset.retryAfterMs! <= 30_000);
  assert.equal((await busy(429, { "ratelimit": '"a";r=0;t=5' })).retryAfterMs, 5_000);
  assert.match((await busy(429, {})).hint ?? "", /fewer/);
  assert.equal((await busy(400, { "retry-after": "7" })).hint, undefined);
});

Deno.test("a redirect that is not followed is called one", async () => {
  const away = () =>
    new Response(null, { status: 302, headers: { location: "https://other.example/x?key=1" } });
  await assert.rejects(ask(away), (error: unknown) => {
    assert.ok(error instanceof GateError);
    assert.equal(error.code, "ERR_UPSTREAM_RESULT");
    assert.match(error.message, /a redirect to https:\/\/other\.example\/x \(HTTP 302 for GET\)/);
    assert.doesNotMatch(error.message, /key/);
    return true;
  });
});
