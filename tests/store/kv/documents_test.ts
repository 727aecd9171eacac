import assert from "node:assert/strict";
import { createKvDocuments } from "../../../src/store/kv/documents.ts";
import { keysOf, withKv } from "./kv_fixture.ts";

const LARGE = "x".repeat(500_000);

function documentsOf(kv: Deno.Kv, now: () => number = () => 1_000) {
  const settled: boolean[] = [];
  const documents = createKvDocuments({
    kv,
    now,
    ride: (operation) => {
      operation.set(["rider"], settled.length);
      return (committed) => settled.push(committed);
    },
  });
  return { documents, settled };
}

Deno.test("what rides in a commit hears of each attempt, and is stored with it", async () => {
  await withKv(async (kv) => {
    const { documents, settled } = documentsOf(kv);
    assert.ok(await documents.put([{ key: "a", value: 1 }]));
    assert.deepEqual(settled, [true]);
    assert.equal((await kv.get(["rider"])).value, 0);
    assert.equal(await documents.put([{ key: "a", value: 2, expect: "other" }]), null);
    assert.deepEqual(settled, [true], "a refused change makes no commit");
  });
});

Deno.test("a refused large change leaves no chunk behind", async () => {
  await withKv(async (kv) => {
    const { documents } = documentsOf(kv);
    const first = await documents.put([{ key: "a", value: 1 }]);
    assert.ok(first !== null);
    // Another writer is faster between the check and the commit.
    const atomic = kv.atomic.bind(kv);
    let commits = 0;
    kv.atomic = () => {
      const operation = atomic();
      const commit = operation.commit.bind(operation);
      operation.commit = async () => {
        if (++commits === 2) await kv.set(["d", "a"], new TextEncoder().encode("[0,2]"));
        return await commit();
      };
      return operation;
    };
    assert.equal(await documents.put([{ key: "a", value: LARGE, expect: first }]), null);
    assert.ok(commits >= 2);
    assert.deepEqual(await keysOf(kv), [["d", "a"], ["rider"]]);
    assert.equal((await documents.get("a"))?.value, 2);
  });
});

Deno.test("prepared changes are stored by somebody else's commit, and replaced chunks go after it", async () => {
  await withKv(async (kv) => {
    const { documents } = documentsOf(kv);
    await documents.put([{ key: "a", value: LARGE }]);
    const prepared = await documents.prepare([{ key: "a", value: "small" }, {
      key: "b",
      value: 7,
    }]);
    assert.equal((await documents.get("a"))?.value, LARGE, "nothing is changed yet");
    const operation = kv.atomic();
    prepared.apply(operation);
    assert.ok((await operation.commit()).ok);
    await prepared.committed();
    assert.equal((await documents.get("a"))?.value, "small");
    assert.deepEqual((await keysOf(kv)).filter(([kind]) => kind !== "rider"), [["d", "a"], [
      "d",
      "b",
    ]]);
  });
});

Deno.test("prepared bounds count chunks only where the commit has to carry them", async () => {
  await withKv(async (kv) => {
    const { documents } = documentsOf(kv);
    const small = await documents.prepare([{ key: "a", value: "x".repeat(300_000) }]);
    const large = await documents.prepare([{ key: "a", value: LARGE }]);
    assert.ok(small.bytes > 300_000 && small.mutations > 5);
    assert.ok(large.bytes < 1_000 && large.mutations === 5);
  });
});
