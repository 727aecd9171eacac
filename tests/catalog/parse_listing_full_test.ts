import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { LISTING_LIMITS, parseListing } from "../../src/catalog/parse_listing.ts";
import { listingOf, rawTool } from "./catalog_fixture.ts";

Deno.test("parseListing() bounds the number of entries and says so", async () => {
  const { toolsMax } = LISTING_LIMITS;
  const tools = Array.from({ length: toolsMax + 1 }, (_, index) => rawTool(`t${index}`));
  const exact = await parseListing("s", listingOf(...tools.slice(1)));
  deepStrictEqual([exact.tools.length, exact.quarantined.length], [toolsMax, 0]);
  const above = await parseListing("s", listingOf(...tools));
  strictEqual(above.tools.length, toolsMax);
  match(above.quarantined[0]?.detail ?? "", /Only the first 50000 of 50001/);
});
