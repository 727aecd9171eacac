import assert from "node:assert/strict";
import { placeholderFor } from "../../src/supervisor/values/placeholder.ts";

Deno.test("placeholderFor() has the shape of the schema", () => {
  assert.deepEqual(
    placeholderFor({
      type: "object",
      properties: {
        id: { type: "string" },
        count: { type: "integer", minimum: 3 },
        state: { enum: ["open", "closed"] },
        labels: { type: "array", items: { type: "string" } },
        nested: { type: "object", properties: { ok: { type: "boolean" } } },
        either: { anyOf: [{ type: ["null", "string"] }, { type: "number" }] },
      },
    }),
    { id: "planned", count: 3, state: "open", labels: [], nested: { ok: true }, either: null },
  );
});

Deno.test("placeholderFor() ends for schemas without end and for none at all", () => {
  assert.deepEqual(placeholderFor(null), {});
  assert.deepEqual(placeholderFor(true), {});
  const endless: { properties?: unknown; type: string } = { type: "object" };
  endless.properties = { self: endless };
  assert.ok(JSON.stringify(placeholderFor(endless)).length < 200);
});
