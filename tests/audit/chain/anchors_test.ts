import assert from "node:assert/strict";
import { openAnchors, readAnchorFile } from "../../../src/audit/chain/anchors.ts";
import { createAuditKeys } from "../../../src/audit/chain/audit_keys.ts";
import { checkpointOf, emptyChain } from "../../../src/audit/chain/chain.ts";

const { signer } = createAuditKeys();
const noteAt = (time: number) => signer.sign(checkpointOf(emptyChain("main"), time));

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a file anchor keeps each note, in a folder that it makes, for its user alone", async () => {
  await withFolder(async (folder) => {
    const target = `${folder}/new/notes`;
    assert.deepEqual(await readAnchorFile(target), []);
    const notes = [noteAt(1), noteAt(2)];
    for (const note of notes) {
      const anchors = openAnchors({ targets: [target], log: assert.fail });
      anchors.push(note);
      await anchors.close();
      assert.deepEqual(anchors.status(), [{ target, error: null }]);
    }
    assert.deepEqual(await readAnchorFile(target), notes);
    assert.equal(((await Deno.stat(target)).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("a file of notes above a mebibyte is cut to its newer half", async () => {
  await withFolder(async (folder) => {
    const target = `${folder}/notes`;
    const note = noteAt(1);
    const count = Math.ceil(1_048_576 / Buffer.byteLength(note));
    await Deno.writeTextFile(target, note.repeat(count - 1));
    const anchors = openAnchors({ targets: [target], log: assert.fail });
    const newest = noteAt(2);
    anchors.push(newest);
    await anchors.close();
    const kept = await readAnchorFile(target);
    assert.equal(kept.length, count - (count >> 1));
    assert.equal(kept.at(-1), newest);
  });
});

Deno.test("an anchor that fails holds up neither the others nor close(), and is told once", async () => {
  await withFolder(async (folder) => {
    const good = `${folder}/notes`;
    await Deno.writeTextFile(`${folder}/file`, "");
    const bad = `${folder}/file/notes`;
    const lines: string[] = [];
    const told = Promise.withResolvers<void>();
    const anchors = openAnchors({
      targets: [bad, good],
      log(line) {
        lines.push(line);
        told.resolve();
      },
    });
    anchors.push(noteAt(1));
    await told.promise;
    anchors.push(noteAt(2));
    assert.notEqual(anchors.status()[0]?.error, null);
    await anchors.close();
    assert.equal(lines.length, 1);
    assert.ok(lines[0]?.startsWith(`audit: cannot anchor at ${bad}: `), lines[0]);
    assert.equal((await readAnchorFile(good)).at(-1), noteAt(2));
  });
});
