import fc from "fast-check";
import assert from "node:assert/strict";
import {
  createSecretResolver,
  escapeReferences,
  EXEC_CACHE_MS,
  findReferences,
  type SecretDeps,
} from "../../src/config/secrets.ts";
import { runCommand } from "../../src/config/run_command.ts";
import { GateError } from "../../src/model/errors.ts";

function makeDeps(changes: Partial<SecretDeps> = {}): SecretDeps {
  return {
    env: (name) => new Map([["TOKEN", "s3cret"], ["EMPTY", ""]]).get(name),
    readTextFile: (path) =>
      path === "/base/key.txt" ? Promise.resolve("from-file\n") : Promise.reject(new Error("none")),
    runCommand: () => Promise.resolve({ code: 0, stdout: "from-command\n" }),
    now: () => 0,
    baseDir: "/base",
    ...changes,
  };
}

Deno.test("createSecretResolver() replaces every reference and keeps the rest", async () => {
  const resolve = createSecretResolver(makeDeps());
  assert.equal(
    await resolve("Bearer ${env:TOKEN} ${file:key.txt}|${exec:pass show x}|${env:EMPTY}|${HOME}"),
    "Bearer s3cret from-file|from-command||${HOME}",
  );
  assert.equal(await resolve("nothing here"), "nothing here");
});

Deno.test("findReferences() takes a command with balanced braces whole", () => {
  const [found, ...others] = findReferences("a${exec:awk '{print $1}' f}b");
  assert.equal(found?.name, "awk '{print $1}' f");
  assert.deepEqual(others, []);
  assert.deepEqual(findReferences("${exec:unclosed {"), []);
});

Deno.test("createSecretResolver() names an unset variable and its remedy", async () => {
  const resolve = createSecretResolver(makeDeps());
  await assert.rejects(resolve("${env:TOKEN}${env:NOPE}"), (error: unknown) => {
    assert.ok(error instanceof GateError);
    assert.equal(error.code, "ERR_CREDENTIAL");
    assert.match(error.message, /"\$\{env:NOPE\}": it is not set/);
    assert.match(error.hint, /Set NOPE/);
    assert.doesNotMatch(error.message + error.hint, /s3cret/);
    return true;
  });
});

Deno.test("createSecretResolver() never repeats what a failed command printed or got", async () => {
  const resolve = createSecretResolver(makeDeps({
    runCommand: () => Promise.resolve({ code: 3, stdout: "hunter2" }),
  }));
  await assert.rejects(resolve("${exec:vault read --token=hunter1}"), (error: unknown) => {
    assert.ok(error instanceof GateError);
    assert.match(error.message, /exit code 3/);
    assert.doesNotMatch(error.message + error.hint, /hunter/);
    return true;
  });
});

Deno.test("createSecretResolver() bounds a secret file", async () => {
  const resolver = (size: number) =>
    createSecretResolver(makeDeps({ readTextFile: () => Promise.resolve("x".repeat(size)) }));
  assert.equal((await resolver(65_536)("${file:a}")).length, 65_536);
  await assert.rejects(resolver(65_537)("${file:a}"), /larger than 65536/);
});

Deno.test("createSecretResolver() keeps a command's output for a while, a failure not at all", async () => {
  let clock = 0;
  let runs = 0;
  let code = 1;
  const resolve = createSecretResolver(makeDeps({
    now: () => clock,
    runCommand: () => Promise.resolve({ code, stdout: String(++runs) }),
  }));
  await assert.rejects(resolve("${exec:op}"));
  code = 0;
  assert.equal(await resolve("${exec:op}"), "2");
  clock = EXEC_CACHE_MS - 1;
  assert.equal(await resolve("${exec:op}"), "2");
  clock = EXEC_CACHE_MS;
  assert.equal(await resolve("${exec:op}"), "3");
});

Deno.test("runCommand() returns output and exit code of a real command", async () => {
  const bounds = { cwd: Deno.cwd(), timeoutMs: 10_000, outputBytesMax: 100 };
  assert.deepEqual(await runCommand("printf hello; exit 0", bounds), { code: 0, stdout: "hello" });
  assert.equal((await runCommand("exit 7", bounds)).code, 7);
});

Deno.test("runCommand() stops a command at its time and size", async () => {
  const bounds = { cwd: Deno.cwd(), timeoutMs: 200, outputBytesMax: 100 };
  assert.equal((await runCommand("sleep 30", bounds)).code, null);
  const roomy = { ...bounds, timeoutMs: 10_000 };
  assert.equal((await runCommand("head -c 100 /dev/zero", roomy)).stdout.length, 100);
  assert.equal((await runCommand("head -c 101 /dev/zero", roomy)).code, null);
});

Deno.test("two dollars before a reference stand for one", async () => {
  const resolve = createSecretResolver(makeDeps());
  for (
    const [text, value] of [
      ["$${env:TOKEN}", "${env:TOKEN}"],
      ["$$${env:TOKEN}", "$s3cret"],
      ["$$$${env:TOKEN}", "$${env:TOKEN}"],
      ["$${exec:a ${env:TOKEN}}", "${exec:a s3cret}"],
      ["$${HOME} $$", "$${HOME} $$"],
      ["${env:TOKEN $${file:x", "${env:TOKEN $${file:x"],
    ] as const
  ) {
    assert.equal(await resolve(text), value, text);
  }
});

Deno.test("escapeReferences() makes any text one that resolves to itself, without asking anything", async () => {
  const refuse = () => Promise.reject(new Error("was asked"));
  const resolve = createSecretResolver(
    makeDeps({ env: () => assert.fail("was asked"), readTextFile: refuse, runCommand: refuse }),
  );
  const piece = fc.constantFrom("$", "{", "}", "env:", "file:", "exec:", "${", "${exec:", "x", " ");
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const text = pieces.join("");
      assert.equal(await resolve(escapeReferences(text)), text);
    }),
    { numRuns: 2_000 },
  );
});
