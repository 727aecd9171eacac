/** The checker's idea of the sandbox, compared with the sandbox. */
import { deepStrictEqual, doesNotMatch, notStrictEqual, ok } from "node:assert/strict";
import { readdirSync } from "node:fs";
import { createCheckService } from "../../src/checker/process/checker_service.ts";
import {
  MISSING_GLOBALS,
  REALM_DECLARATIONS,
  REMOVED_GLOBALS,
} from "../../src/checker/rules/realm.ts";
import { runCode, withPool } from "../sandbox/open_pool.ts";
import { declarationsFor, readPrograms, shopTools } from "./fixtures/checker_fixture.ts";

const service = createCheckService();
const tools = await shopTools();

async function runInSandbox(code: string): Promise<unknown> {
  let result: unknown;
  await withPool({}, async (pool) => {
    const outcome = await runCode(pool, code);
    deepStrictEqual(outcome.error, null);
    result = JSON.parse(outcome.resultJson ?? "null");
  });
  return result;
}

/** Names that the sandbox answers with an error that says what to do. */
function isAbsent(name: string): boolean {
  return MISSING_GLOBALS.has(name) || REMOVED_GLOBALS.has(name);
}

Deno.test("what the checker declares is there in the sandbox", async () => {
  const names = [...REALM_DECLARATIONS.matchAll(/^declare (?:const|var|function) (\w+)/gm)]
    .map((match) => match[1] ?? "");
  ok(names.length >= 20);
  const missing = await runInSandbox(
    `return ${JSON.stringify(names)}.filter((name) => typeof globalThis[name] === "undefined");`,
  );
  deepStrictEqual(missing, []);
});

Deno.test("members that the checker declares are there in the sandbox", async () => {
  const values: Record<string, string> = {
    console: "Console",
    "new URL('https://a.b')": "URL",
    "new URLSearchParams()": "URLSearchParams",
    "new TextEncoder()": "TextEncoder",
    "new TextDecoder()": "TextDecoder",
    "new AbortController()": "AbortController",
    "new AbortController().signal": "AbortSignal",
  };
  const checks = Object.entries(values).map(([value, name]) => {
    const [, body = ""] = new RegExp(`interface ${name} [^{]*\\{([^]*?)\\n?\\}\\n`).exec(
      REALM_DECLARATIONS,
    ) ?? [];
    const members = [...body.matchAll(/(?:^|[;{\n])\s*(?:readonly )?(\w+)[(:]/g)].map((m) => m[1]);
    ok(members.length > 0, name);
    return `${
      JSON.stringify(members)
    }.filter((name) => !(name in (${value}))).map((name) => "${name}." + name)`;
  });
  deepStrictEqual(await runInSandbox(`return [${checks.join(", ")}].flat();`), []);
});

Deno.test("what is there in the sandbox is known to the checker", async () => {
  const names = await runInSandbox("return Object.getOwnPropertyNames(globalThis);") as string[];
  ok(names.length > 60);
  const unknown = names.filter((name) =>
    !isAbsent(name) && service.check(`return typeof (${name}) + String(${name});`, "").length > 0
  );
  deepStrictEqual(unknown, []);
});

Deno.test("what the checker calls missing is not there in the sandbox", async () => {
  const names = [...MISSING_GLOBALS.keys(), ...REMOVED_GLOBALS.keys()]
    .filter((name) => /^[\w$]+$/.test(name) && name !== "Function");
  const there = await runInSandbox(
    `return ${JSON.stringify(names)}.filter((name) => {
       try { return typeof globalThis[name] !== "undefined" && (globalThis[name].x, true); }
       catch { return false; }
     });`,
  );
  deepStrictEqual(there, []);
});

const programs = new URL("../escape/programs/", import.meta.url);
for (const file of readdirSync(programs).filter((name) => name.startsWith("g_"))) {
  Deno.test(`check() has nothing against the ordinary program ${file}`, async () => {
    const code = await Deno.readTextFile(new URL(file, programs));
    deepStrictEqual(service.check(code, declarationsFor(tools, code)), []);
  });
}

Deno.test("the sandbox runs the programs that the checker has nothing against", async () => {
  const programs = await readPrograms("good_programs.txt");
  ok(programs.length > 100);
  await withPool({ isolation: "realm" }, async (pool) => {
    for (const { name, code } of programs) {
      const { error } = await runCode(pool, code, {
        onCall: () => Promise.resolve({ ok: true, json: "[]" }),
      });
      // What the tools answer is made up here, so that other errors are to be expected.
      notStrictEqual(error?.code, "ERR_SYNTAX", name);
      doesNotMatch(error?.message ?? "", /is not defined|not awaited|is a promise/, name);
    }
  });
});
