/**
 * Looks at what `deno task compile` makes, without running it: the base runtime that makes it run is a
 * download, so the test uses the Deno binary in its place. What is embedded and baked in is the same.
 */
import assert from "node:assert/strict";
import { readEmbeddedNames, readMetadata } from "../../scripts/inspect_compiled.ts";
import { taskFlags } from "../../scripts/task_flags.ts";
import { VERSION } from "../../src/model/version.ts";

const denoJson = await Deno.readTextFile("deno.json");
const config: {
  version: string;
  unstable: string[];
  tasks: { [name: string]: { command: string } };
} = JSON.parse(denoJson);

async function compile(output: string): Promise<void> {
  const command = config.tasks["compile"]?.command ?? "";
  const args = command.split(" ").slice(1).map((word) => word === "dist/toolgate" ? output : word);
  assert.ok(args.includes(output), command);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { DENORT_BIN: Deno.execPath(), NO_COLOR: "1" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

Deno.test("deno task compile embeds what runs and bakes in what it may", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    const output = `${folder}/toolgate`;
    await compile(output);
    const names = readEmbeddedNames(output);
    const metadata = readMetadata(output);

    await t.step("it holds the program, the sandbox, the checker and the policies", () => {
      const parts = ["main.ts", "app.ts", "host_main.ts", "checker_host.ts", "worker_main.ts"];
      const missing = [...parts, "demo.yaml", "typescript"]
        .filter((part) => !names.has(part));
      assert.deepEqual(missing, []);
    });
    await t.step("it holds no development tool and no test", () => {
      const tools = ["playwright-core", "fast-check", "axe-core", "oidc-provider", "tidy_test.ts"];
      assert.deepEqual(tools.filter((tool) => names.has(tool)), []);
    });
    await t.step("permissions are those of the task, nothing is asked, nothing is imported", () => {
      const { permissions } = metadata;
      const everything = ["net", "read", "write", "env", "run", "sys", "ffi"];
      for (const kind of everything) {
        assert.deepEqual(permissions[`allow_${kind}`], [], kind);
        assert.equal(permissions[`deny_${kind}`], null, kind);
      }
      assert.deepEqual(permissions["deny_import"], []);
      assert.equal(permissions["prompt"], false);
    });
    await t.step("features, name and entry are fixed, and there is no code cache in /tmp", () => {
      assert.deepEqual(
        metadata.unstable_config.features.toSorted(),
        config.unstable.toSorted(),
      );
      assert.equal(metadata.app_name, "toolgate");
      assert.equal(metadata.entrypoint_key, "main.ts");
      assert.equal(metadata.code_cache_key, null);
      assert.deepEqual(metadata.argv, []);
    });
    await t.step("the engine has the flags of the task that runs toolgate", () => {
      const flags = taskFlags(denoJson, "toolgate").filter((flag) =>
        flag.startsWith("--v8-flags=")
      );
      assert.ok(flags.length > 0);
      // Deno puts flags of its own before them.
      for (const flag of flags) {
        assert.ok(metadata.v8_flags.includes(flag.slice("--v8-flags=".length)), flag);
      }
    });
    await t.step("no path of the build machine is baked in", () => {
      assert.ok(!JSON.stringify(metadata).includes(Deno.cwd()));
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("tasks that run toolgate share one list of permissions and engine flags", () => {
  const expected = taskFlags(denoJson, "toolgate");
  assert.ok(expected.includes("--no-prompt") && expected.includes("--deny-ffi"));
  for (const task of ["start", "demo"]) assert.deepEqual(taskFlags(denoJson, task), expected);
  assert.deepEqual(taskFlags(denoJson, "dev"), ["--watch", ...expected]);
});

Deno.test("the version is the same in deno.json and in the program", () => {
  assert.equal(VERSION, config.version);
});
