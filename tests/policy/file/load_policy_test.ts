import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import { loadPolicyFiles } from "../../../src/policy/file/load_policy.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("loadPolicyFiles() reads one file, or the policy files of a folder by name", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/b.yaml`, "b");
    await Deno.writeTextFile(`${folder}/a.yml`, "a");
    await Deno.writeTextFile(`${folder}/c.json`, "c");
    await Deno.writeTextFile(`${folder}/d.YAML`, "d");
    await Deno.writeTextFile(`${folder}/notes.md`, "no");
    await Deno.writeTextFile(`${folder}/.hidden.yaml`, "no");
    await Deno.mkdir(`${folder}/sub.yaml`);
    const files = await loadPolicyFiles(folder);
    assert.deepEqual(files.map(({ path, text }) => [path.slice(folder.length + 1), text]), [
      ["a.yml", "a"],
      ["b.yaml", "b"],
      ["c.json", "c"],
      ["d.YAML", "d"],
    ]);
    assert.deepEqual(await loadPolicyFiles(`${folder}/b.yaml`), [
      { path: `${folder}/b.yaml`, text: "b" },
    ]);
  });
});

Deno.test("loadPolicyFiles() does not wait for a pipe or a device", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.yaml`, "a");
    await Deno.symlink("/dev/null", `${folder}/b.yaml`);
    await assert.rejects(loadPolicyFiles(folder), /b\.yaml" is not a regular file/);
  });
});

Deno.test("loadPolicyFiles() says what it cannot read and what to do", async () => {
  await withFolder(async (folder) => {
    const fails = async (path: string, message: RegExp) =>
      await assert.rejects(loadPolicyFiles(path), (error) => {
        assert.ok(error instanceof GateError);
        assert.equal(error.code, "ERR_CONFIG");
        assert.match(error.message, message);
        return true;
      });
    await fails(`${folder}/missing.yaml`, /no such file/);
    await fails(folder, /holds no \.yaml, \.yml or \.json file/);
    await Deno.mkdir(`${folder}/team`);
    await Deno.writeTextFile(`${folder}/team/deny.yaml`, "");
    await fails(folder, /its folder "team" holds policy files/);
    await Deno.mkdir(`${folder}/far/away`, { recursive: true });
    await Deno.rename(`${folder}/team/deny.yaml`, `${folder}/far/away/deny.yaml`);
    await fails(folder, /its folder "far" holds policy files/);
    const elsewhere = await Deno.makeTempDir();
    await Deno.rename(`${folder}/far`, `${elsewhere}/far`);
    await Deno.symlink(`${elsewhere}/far`, `${folder}/linked`);
    await fails(folder, /its folder "linked" holds policy files/);
    await Deno.remove(`${folder}/linked`);
    // Links that lead in a circle end.
    await Deno.symlink(folder, `${folder}/circle`);
    await fails(folder, /holds no \.yaml/);
    await Deno.remove(`${folder}/circle`);
    await Deno.remove(elsewhere, { recursive: true });
    await Deno.writeTextFile(`${folder}/team/deny.yaml`, "");
    await Deno.rename(`${folder}/team`, `${folder}/..data`);
    await fails(folder, /holds no \.yaml/);
    await Deno.writeTextFile(`${folder}/large.yaml`, " ".repeat(4_194_305));
    await fails(`${folder}/large.yaml`, /is larger than 4194304 bytes/);
  });
});
