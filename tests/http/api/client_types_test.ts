import assert from "node:assert/strict";
import type { JsonRouteName, RouteAnswer } from "../../../src/http/api/client_types.ts";
import type { AuditRecord } from "../../../src/model/event.ts";
import { createApiClient } from "../../../src/cli/api_client.ts";

const client = createApiClient({
  isService: true,
  url: "http://127.0.0.1",
  token: "t",
  fetch: () => Promise.resolve(Response.json({ records: [], keys: [] })),
});

Deno.test("what a route answers with is known to the compiler", async () => {
  const { records } = await client.call("GET /audit", { query: { limit: 1 } });
  const known: readonly AuditRecord[] = records;
  assert.deepEqual(known, []);
  const { keys } = await client.call("GET /keys");
  // @ts-expect-error a key has no such field
  assert.deepEqual(keys.map(({ secret }) => secret), []);
  // @ts-expect-error the list of keys has no records
  const wrong: RouteAnswer<"GET /keys"> = { records: [] };
  assert.ok(wrong);
});

Deno.test("a request that does not fit its route does not compile", async () => {
  const asked = [
    // @ts-expect-error there is no such route
    client.call("GET /nothing"),
    // @ts-expect-error the name is missing
    client.call("GET /tools/:name"),
    // @ts-expect-error the body is missing
    client.call("POST /search"),
    // @ts-expect-error a filter has no such field
    client.call("GET /audit", { query: { principle: "ada" } }),
    // @ts-expect-error a grouping is one of six words
    client.call("GET /usage", { query: { by: "planet" } }),
  ];
  assert.equal((await Promise.all(asked)).length, 5);
  // @ts-expect-error an export is not JSON
  const name: JsonRouteName = "GET /audit/export";
  assert.ok(name);
});
