import assert from "node:assert/strict";
import { watchContents } from "../../src/config/watch_contents.ts";

Deno.test("watchContents() sees a change soon, also where every look takes long", async () => {
  let contents = "old";
  let looks = 0;
  const changed = Promise.withResolvers<void>();
  const look = async () => {
    looks++;
    // A busy machine: fifty times this would be a pause of many seconds.
    await new Promise((resolve) => setTimeout(resolve, 300));
    if (looks === 1) contents = "new";
    return looks === 1 ? "old" : contents;
  };
  const watch = watchContents(look, "old", () => Promise.resolve(changed.resolve()));
  const hang = setTimeout(() => changed.reject(new Error("the change was not seen")), 8_000);
  try {
    await changed.promise;
  } finally {
    clearTimeout(hang);
    await watch.close();
  }
  assert.ok(looks >= 2);
});
