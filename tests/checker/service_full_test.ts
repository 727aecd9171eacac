/**
 * What the check says about whole programs, inside of this process: two collections of programs and
 * the ordinary programs among the public attack programs.
 */
import { deepStrictEqual, ok, throws } from "node:assert/strict";
import { readdirSync } from "node:fs";
import { createCheckService } from "../../src/checker/process/checker_service.ts";
import { dataFolder } from "../search/data_folder.ts";
import { declarationsFor, readPrograms, shopTools } from "./fixtures/checker_fixture.ts";

const tools = await shopTools();
const service = createCheckService();

function check(code: string): string[] {
  const findings = service.check(code, declarationsFor(tools, code));
  return findings.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

for (const { name, code } of await readPrograms("good_programs.txt")) {
  Deno.test(`check() has nothing against ${name}`, () => deepStrictEqual(check(code), []));
}

for (const { name, code, expected } of await readPrograms("bad_programs.txt")) {
  Deno.test(`check() finds ${name}`, () => {
    ok(expected.length > 0);
    deepStrictEqual(check(code), expected);
  });
}

const folder = dataFolder();
if (folder === null) {
  console.log("Not tested here: the folder of public attack programs is absent");
} else {
  for (const file of readdirSync(`${folder}/escapes`).filter((name) => /^g\d+_/.test(name))) {
    Deno.test(`check() has nothing against the public program ${file}`, async () => {
      deepStrictEqual(check(await Deno.readTextFile(`${folder}/escapes/${file}`)), []);
    });
  }
}

Deno.test("check() knows nothing of the program before", () => {
  service.check("const leak = 1; globalThis.shared = 2; var other = 3; return leak;", "");
  deepStrictEqual(check("return [leak, other];").length, 2);
  service.check("declare global { interface Array<T> { broken: T } } return [1].broken;", "");
  deepStrictEqual(check('return ["a"].broken;'), ['1:14 An array has no "broken"']);
});

Deno.test("check() takes any declarations, none and broken ones included", () => {
  const code =
    "const rows = await tools.orders.list({ x: 1 }); return rows.map((r) => r.anything);";
  deepStrictEqual(service.check(code, ""), []);
  deepStrictEqual(service.check(code, "this is { no declaration"), []);
  deepStrictEqual(service.check(code, "declare const tools: any;"), []);
  deepStrictEqual(service.check("return 1", "declare const tools: { a: typeof tools.a };"), []);
});

Deno.test("check() answers with twenty findings at most, each of three hundred characters", () => {
  const names = Array.from({ length: 30 }, (_, index) => `unknown${index}${"x".repeat(400)}`);
  const findings = service.check(`return [${names.join(", ")}];`, "");
  deepStrictEqual(findings.length, 20);
  ok(findings.every(({ message }) => message.length <= 300));
  deepStrictEqual(service.check(`return [${names.slice(0, 20).join(", ")}];`, "").length, 20);
});

Deno.test("check() reads no file, whatever a program refers to", () => {
  const code = `/// <reference path="/etc/passwd" />
/// <reference types="node" />
let x!: import("file:///etc/passwd").x;
return x;`;
  deepStrictEqual(service.check(code, ""), []);
});

Deno.test("check() refuses what is nested too deeply with a RangeError", () => {
  const deep = `const list = await tools.orders.list({});\nreturn ${"[".repeat(20_000)}${
    "]".repeat(20_000)
  };`;
  throws(() => service.check(deep, ""), RangeError);
  deepStrictEqual(createCheckService().check("return nope", "").length, 1);
});

Deno.test("check() is quick on long programs", () => {
  const line = "total += (await tools.orders.get({ id: `${total}` })).total;\n";
  const code = `let total = 0;\n${line.repeat(250)}return total;`;
  const programs = [
    code,
    `const n = 1; return ${"n + ".repeat(1_000)}1;`,
    `const [row] = await tools.orders.list({}); row.mine = 1; return [${
      "row.mine, ".repeat(3_000)
    }];`,
    `const [row] = await tools.orders.list({}); if (row.mine) return [${
      "row.mine, ".repeat(3_000)
    }];`,
  ];
  for (const program of programs) {
    const start = performance.now();
    deepStrictEqual(check(program), []);
    ok(performance.now() - start < 5_000, program.slice(0, 60));
  }
});

const declared = (result: string) =>
  `declare const tools: { db: { query(args: { limit?: number }): Promise<${result}>; }; };`;

Deno.test("check() says which findings rest on results seen so far, and which names are misspelt", () => {
  const code = `const rows = await tools.db.query({ limt: 1 });
const name = rows[0].custmer;
return [name, rows[0].total];`;
  const seen = declared("/** observed in 5 results */ { customer: string }[]");
  const marks = (declaredOnly?: string) =>
    service.check(code, seen, declaredOnly).map(({ line, isObserved, isMisspelling }) => ({
      line,
      isObserved: isObserved === true,
      isMisspelling: isMisspelling === true,
    }));
  deepStrictEqual(marks(declared("unknown")), [
    { line: 1, isObserved: false, isMisspelling: false },
    { line: 2, isObserved: true, isMisspelling: true },
    { line: 3, isObserved: true, isMisspelling: false },
  ]);
  deepStrictEqual(marks(seen).map(({ isObserved }) => isObserved), [false, false, false]);
  deepStrictEqual(marks().map(({ isObserved }) => isObserved), [false, false, false]);
});
