import { Validator } from "@cfworker/json-schema";
import { doesNotMatch, match, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { declareTool } from "../../src/catalog/declare.ts";
import { inferShape, mergeShapes, shapeToSchema } from "../../src/catalog/observe_shape.ts";
import { printType } from "../../src/catalog/types/print_type.ts";
import { openStore } from "../../src/store/open_store.ts";
import { listingOf, nextChange, openFixture, rawTool } from "./catalog_fixture.ts";

function typeOf(...results: readonly unknown[]): string {
  const shape = results.map(inferShape).reduce(mergeShapes);
  return printType(shapeToSchema(shape), {
    direction: "output",
    budget: {
      depthMax: 8,
      propertiesMax: 100,
      enumMax: 4,
      unionMax: 8,
      charsMax: 10_000,
      docCharsMax: 0,
    },
  });
}

Deno.test("a type is inferred from results, and what is not in all of them is optional", () => {
  strictEqual(typeOf("text"), "string");
  strictEqual(typeOf([{ id: 1 }, { id: 2, name: "a" }]), "{ id: number; name?: string }[]");
  strictEqual(
    typeOf({ id: 1, at: null }, { id: "x", at: "2026" }),
    "{ id: number | string; at: null | string }",
  );
  strictEqual(typeOf([], [1]), "number[]");
  strictEqual(typeOf({ a: 1 }, "none"), "{ a: number } | string");
});

Deno.test("an object whose keys are data becomes a record", () => {
  for (
    const keyed of [
      { "2026-04-01": 1, "2026-04-02": 2 },
      { cus_81723: 1 },
      { "ada@example.com": 1 },
      { "550e8400-e29b-41d4-a716-446655440000": 1 },
      { "Ada Lovelace": 1 },
      Object.fromEntries(Array.from({ length: 41 }, (_, index) => [`k${index}`, index])),
    ]
  ) {
    strictEqual(typeOf(keyed), "Record<string, number>");
  }
  strictEqual(
    typeOf({ alice: { age: 1, city: "a" }, bob: { age: 2, city: "b" } }),
    "Record<string, { age: number; city: string }>",
  );
  strictEqual(
    typeOf(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i % 40}x`, i]))).startsWith(
      "{ ",
    ),
    true,
  );
});

Deno.test("no value of a result is in its type", () => {
  const secret = fc.stringMatching(/^[a-z]{6}[0-9]{4}[a-z]{6}$/);
  fc.assert(fc.property(fc.array(secret, { minLength: 1 }), (secrets) => {
    const value = {
      list: secrets,
      keyed: Object.fromEntries(secrets.map((key) => [key, { key }])),
      nested: [{ deep: { secret: secrets[0] } }],
    };
    const shape = JSON.stringify(inferShape(value));
    for (const word of secrets) strictEqual(shape.includes(word), false);
  }));
});

Deno.test("an inferred schema holds for every result that it was inferred from", () => {
  const results = fc.array(fc.jsonValue({ maxDepth: 4 }), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(results, (values) => {
    const schema = shapeToSchema(values.map(inferShape).reduce(mergeShapes));
    const validator = new Validator(schema as Record<string, unknown>, "2020-12");
    for (const value of values) strictEqual(validator.validate(value).valid, true);
  }));
});

Deno.test("inferShape() is bounded for deep, wide and long values", () => {
  let deep: unknown = 1;
  for (let level = 0; level < 1_000; level++) deep = { deep };
  match(typeOf(deep), /^(\{ deep: ){6}/);
  let looks = 0;
  const elements = Array.from({ length: 1_000 }, () => ({
    get id() {
      looks++;
      return 1;
    },
  }));
  inferShape(elements);
  strictEqual(looks, 20);
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`a${n}b`, [[n]]]));
  strictEqual(typeOf(wide), "Record<string, number[][]>");
});

Deno.test("observeResult() gives a tool without output its type, and a restart keeps it", async () => {
  const store = await openStore("memory:");
  const listing = listingOf(
    rawTool("list"),
    rawTool("typed", { outputSchema: { type: "object" } }),
  );
  const { catalog } = await openFixture({ orders: listing }, { store });
  await catalog.refresh();
  const tool = (name: string) => {
    const found = catalog.snapshot().tools.get(`orders.${name}`);
    if (found === undefined) throw new Error("No such tool");
    return found;
  };
  const changed = nextChange(catalog);
  catalog.observeResult(tool("list"), [{ id: "o1", total: 5 }]);
  catalog.observeResult(tool("list"), [{ id: "o2" }]);
  catalog.observeResult(tool("typed"), { not: "looked at" });
  await changed;
  match(
    declareTool(tool("list")),
    /Promise<\/\*\* observed in 2 results \*\/ \{ id: string; total\?: number \}\[\]>/,
  );
  doesNotMatch(declareTool(tool("typed")), /observed/);
  strictEqual(tool("list").pin, (await reopen(store, listing)).tools.get("orders.list")?.pin);
  await catalog.close();
  const { tools } = await reopen(store, listing);
  strictEqual(tools.get("orders.list")?.observed?.results, 2);
});

async function reopen(
  store: Awaited<ReturnType<typeof openStore>>,
  listing: ReturnType<typeof listingOf>,
) {
  const { catalog } = await openFixture({ orders: listing }, { store });
  const snapshot = catalog.snapshot();
  await catalog.close();
  return snapshot;
}
