import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { LISTING_LIMITS, parseListing } from "../../src/catalog/parse_listing.ts";
import { listingOf, rawTool } from "./catalog_fixture.ts";
import { anyCharacter } from "../fakes/any_character.ts";

/** The reason why a definition is set aside, or null if it is not. */
async function reasonOf(raw: unknown): Promise<string | null> {
  const { tools, quarantined } = await parseListing("s", listingOf(raw));
  strictEqual(tools.length + quarantined.length, 1);
  return quarantined[0]?.detail ?? null;
}

const MALFORMED: readonly (readonly [raw: unknown, reason: RegExp])[] = [
  [null, /not an object/],
  ["text", /not an object/],
  [[], /not an object/],
  [{}, /name is not a string/],
  [{ name: "" }, /name is not a string/],
  [{ name: 7 }, /name is not a string/],
  [rawTool("a", { description: 7 }), /description is not a string/],
  [rawTool("a", { title: {} }), /title is not a string/],
  [rawTool("a", { inputSchema: [] }), /inputSchema is not an object/],
  [rawTool("a", { inputSchema: { type: "array" } }), /inputSchema\.type is "array", not "object"/],
  [rawTool("a", { outputSchema: "x" }), /outputSchema is not an object/],
  [rawTool("a", { annotations: true }), /annotations is not an object/],
  [rawTool("zero\u200bwidth"), /invisible/],
  [rawTool("right\u202eleft"), /invisible/],
  [rawTool(" space"), /white space/],
  [rawTool("bell\u0007"), /control/],
];

for (const [raw, reason] of MALFORMED) {
  Deno.test(`parseListing() sets aside ${JSON.stringify(raw)?.slice(0, 60)}`, async () => {
    match(await reasonOf(raw) ?? "", reason);
  });
}

Deno.test("parseListing() forgives what means nothing", async () => {
  strictEqual(await reasonOf({ name: "a" }), null);
  strictEqual(await reasonOf(rawTool("e\u0301t\u0101t")), null);
  strictEqual(await reasonOf(rawTool("a", { title: null, description: null })), null);
  strictEqual(await reasonOf(rawTool("a", { outputSchema: null, annotations: null })), null);
  strictEqual(await reasonOf(rawTool("a", { inputSchema: {} })), null);
  strictEqual(await reasonOf(rawTool("a", { unknown: { field: 1 } })), null);
});

Deno.test("parseListing() takes what is at a limit and not what is above", async () => {
  const { nameCharsMax, depthMax, definitionBytesMax } = LISTING_LIMITS;
  strictEqual(await reasonOf(rawTool("n".repeat(nameCharsMax))), null);
  match(await reasonOf(rawTool("n".repeat(nameCharsMax + 1))) ?? "", /name has 257 characters/);

  const nested = (levels: number): unknown => levels === 0 ? 1 : { a: nested(levels - 1) };
  // The definition itself is one level.
  strictEqual(await reasonOf(rawTool("a", { x: nested(depthMax - 1) })), null);
  match(await reasonOf(rawTool("a", { x: nested(depthMax) })) ?? "", /nested deeper than 256/);

  const rest = JSON.stringify(rawTool("a", { x: "" })).length;
  strictEqual(await reasonOf(rawTool("a", { x: "x".repeat(definitionBytesMax - rest) })), null);
  match(
    await reasonOf(rawTool("a", { x: "x".repeat(definitionBytesMax - rest + 1) })) ?? "",
    /1048577 bytes/,
  );
});

Deno.test("parseListing() sets the second of two equal names aside", async () => {
  const { tools, quarantined } = await parseListing("s", listingOf(rawTool("a"), rawTool("a")));
  deepStrictEqual([tools.length, quarantined[0]?.reason], [1, "collision"]);
});

Deno.test("parseListing() lists what could not be represented", async () => {
  const listing = { ...listingOf(), skipped: [{ name: "PUT /x", reason: "two bodies" }] };
  const { quarantined } = await parseListing("s", listing);
  deepStrictEqual(quarantined.map(({ name, detail }) => [name, detail]), [
    ["PUT /x", "Cannot be represented: two bodies"],
  ]);
});

Deno.test("parseListing() cleans texts and pins them as received", async () => {
  const parse = async (description: string) =>
    (await parseListing("s", listingOf(rawTool("a", { description })))).tools[0];
  const [plain, hidden] = [await parse("Pays."), await parse("Pa\u200bys.")];
  strictEqual(hidden?.description, "Pays.");
  strictEqual(plain?.pin === hidden?.pin, false);
  strictEqual((await parse("x".repeat(9_000)))?.description.length, 8_000);
});

Deno.test("a pin does not depend on the order of keys", async () => {
  const parse = async (raw: unknown) => (await parseListing("s", listingOf(raw))).tools[0]?.pin;
  const one = { name: "a", inputSchema: { type: "object", properties: { x: {}, y: {} } } };
  const two = { inputSchema: { properties: { y: {}, x: {} }, type: "object" }, name: "a" };
  strictEqual(await parse(one), await parse(two));
});

Deno.test("parseListing() takes any JSON without an exception, and loses no entry", async () => {
  const entries = fc.array(
    fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.record({
        name: fc.string({ unit: anyCharacter }),
        uri: fc.string(),
        inputSchema: fc.jsonValue(),
        arguments: fc.jsonValue(),
        _meta: fc.jsonValue(),
        annotations: fc.jsonValue(),
      }, { requiredKeys: [] }),
    ),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(entries, entries, entries, async (tools, resources, prompts) => {
      const listing = { ...listingOf(...tools), resources, prompts };
      const parsed = await parseListing("s", listing);
      strictEqual(
        parsed.tools.length + parsed.quarantined.length,
        tools.length + resources.length + prompts.length,
      );
    }),
  );
});
