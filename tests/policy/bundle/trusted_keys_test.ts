import assert from "node:assert/strict";
import { join } from "node:path";
import { readTrustedKeys, trustedKeyFiles } from "../../../src/policy/bundle/trusted_keys.ts";

const KEY = '{"kty":"OKP","crv":"Ed25519","x":"aaaa","kid":"a"}';

async function withFolder(files: Record<string, string>, use: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a folder stands for its public keys, not for the private one beside them", async () => {
  await withFolder(
    { "site.pub.json": KEY, "backup.pub.json": KEY, "site.key.json": KEY },
    async (folder) => {
      assert.deepEqual(
        await trustedKeyFiles([folder]),
        [join(folder, "backup.pub.json"), join(folder, "site.pub.json")],
      );
      // A file that is named is taken as it is.
      assert.deepEqual(await trustedKeyFiles([join(folder, "site.key.json")]), [
        join(folder, "site.key.json"),
      ]);
      assert.equal((await readTrustedKeys([folder])).length, 2);
    },
  );
});

Deno.test("a folder without a key, a missing one and a text that is not a key are told", async () => {
  await withFolder({ "notes.txt": "x", "bad.pub.json": "[]" }, async (folder) => {
    await assert.rejects(readTrustedKeys([join(folder, "none")]), {
      code: "ERR_CONFIG",
      message: `Cannot read the key "${join(folder, "none")}": no such file or folder`,
    });
    await assert.rejects(readTrustedKeys([folder]), {
      code: "ERR_CONFIG",
      message: `"${join(folder, "bad.pub.json")}" is not a key in JWK form`,
    });
    await Deno.remove(join(folder, "bad.pub.json"));
    await assert.rejects(trustedKeyFiles([folder]), {
      code: "ERR_CONFIG",
      message: `Cannot use the keys at ${folder}: there is none`,
    });
  });
});

Deno.test("more keys than any site has are refused", async () => {
  const files = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`${n}.pub.json`, KEY]));
  await withFolder(files, async (folder) => {
    await assert.rejects(trustedKeyFiles([folder]), /there are more than 100/);
    await Deno.remove(join(folder, "100.pub.json"));
    assert.equal((await trustedKeyFiles([folder])).length, 100);
  });
});
