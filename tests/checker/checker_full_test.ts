import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { type Checker, type CheckerReport, openChecker } from "../../src/checker/checker.ts";
import { fakeCommand, sourceCommand } from "./fixtures/checker_command_fixture.ts";

const DECLARATIONS =
  "declare const tools: { orders: { get(args: { id: string }): Promise<{ total: number }> } };";
const GOOD = 'return (await tools.orders.get({ id: "a" })).total;';
const BAD = "return (await tools.orders.get({ id: 5 })).total;";
const FINDING = {
  line: 1,
  column: 38,
  message: '"id" of "orders.get" must be a string, not a number',
};
/** Never ends, and fills gigabytes. */
const PERMUTATIONS =
  `type P<T, K = T> = [T] extends [never] ? [] : K extends K ? [K, ...P<Exclude<T, K>>] : never;
let x!: P<"a" | "b" | "c" | "d" | "e" | "f" | "g" | "h" | "i">; return x;`;

const BOMBS: readonly (readonly [string, string])[] = [
  [
    "a recursive tuple",
    `type L<N extends number, A extends any[] = []> = A["length"] extends N ? A : L<N, [...A, 1]>;
    type Add<A extends any[], B extends any[]> = [...A, ...B];
    type F<N extends number> = N extends 0 | 1 ? [1] : Add<F<25>, F<24>>; let x: L<900>; return x!;`,
  ],
  [
    "a doubling tuple",
    `type A<T, N extends any[] = []> = N["length"] extends 22 ? T : A<[T, T], [...N, 1]>;
    let x!: A<1>; let y: A<2> = x; return y;`,
  ],
  [
    "a deep conditional type",
    `type R<T> = T extends [infer H, ...infer X] ? [H, ...R<X>] : [];
    type Big = R<[${"1,".repeat(3_000)}1]>; let x!: Big; return x;`,
  ],
  [
    "a union of a hundred thousand texts",
    `type D = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
    let x: \`\${D}\${D}\${D}\${D}\${D}\` = "abc" as any; return x;`,
  ],
  [
    "a literal of twenty thousand elements",
    `const a = [${
      Array.from({ length: 20_000 }, (_, i) => `{ a: ${i}, b: "x${i}" }`)
    }]; return a.length;`,
  ],
  ["deep nesting", `const a = 1;\nreturn ${"[".repeat(20_000)}1${"]".repeat(20_000)};`],
  ["a long chain of operators", `return ${"1 + ".repeat(30_000)}1;`],
  ["a long chain of calls", `return [1]${".map((x) => x)".repeat(5_000)};`],
];

function silent(): void {}

/** Closes the checker at the end of a test, also of one that fails. */
function closing(checker: Checker): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => checker.close() };
}

function essence({ status, reason, findings }: CheckerReport) {
  return { status, reason, findings };
}

Deno.test("check() starts one process with the first check and keeps it", async () => {
  let starts = 0;
  const command = () => {
    starts++;
    return sourceCommand();
  };
  const checker = openChecker({ command, log: silent });
  await using _checker = closing(checker);
  strictEqual(starts, 0);
  const first = await checker.check(BAD, DECLARATIONS);
  deepStrictEqual(essence(first), { status: "checked", reason: null, findings: [FINDING] });
  const good = await checker.check(GOOD, DECLARATIONS);
  deepStrictEqual(essence(good), { status: "checked", reason: null, findings: [] });
  const all = await Promise.all([GOOD, BAD, GOOD].map((code) => checker.check(code, DECLARATIONS)));
  deepStrictEqual(all.map(({ findings }) => findings.length), [0, 1, 0]);
  strictEqual(starts, 1);
  await checker.close();
  strictEqual((await checker.check(GOOD, DECLARATIONS)).reason, "The checker is closed");
  strictEqual(starts, 1);
});

Deno.test("check() stops a check that takes too long, and the next one works", async () => {
  const checker = openChecker({ command: sourceCommand, timeBudgetMs: 1_000, log: silent });
  await using _checker = closing(checker);
  strictEqual((await checker.check(GOOD, DECLARATIONS)).status, "checked");
  const start = performance.now();
  const stopped = await checker.check(PERMUTATIONS, DECLARATIONS);
  ok(performance.now() - start < 3_000);
  deepStrictEqual(essence(stopped), {
    status: "unchecked",
    reason: "The check took longer than 1 s and was stopped; the program ran unchecked",
    findings: [],
  });
  deepStrictEqual((await checker.check(BAD, DECLARATIONS)).findings, [FINDING]);
  const again = await checker.check(PERMUTATIONS, DECLARATIONS);
  strictEqual(again.reason, "An earlier check of this program took too long; it ran unchecked");
  ok(again.ms < 1_000);
});

Deno.test("check() survives types and literals that explode", async () => {
  const checker = openChecker({ command: sourceCommand, timeBudgetMs: 800, log: silent });
  await using _checker = closing(checker);
  await checker.check(GOOD, DECLARATIONS);
  for (const [name, code] of BOMBS) {
    const report = await checker.check(code, DECLARATIONS);
    ok(report.ms < 3_000, `${name}: ${report.ms} ms`);
    strictEqual(report.reason === null, report.status === "checked", name);
    const next = await checker.check(BAD, DECLARATIONS);
    deepStrictEqual(next.findings, [FINDING], `after ${name}: ${next.reason}`);
  }
});

Deno.test("check() takes programs up to its size and no longer ones", async () => {
  const checker = openChecker({ command: sourceCommand, log: silent });
  await using _checker = closing(checker);
  const charsMax = Math.floor(8 * 1_048_576 / 3);
  const declarations = `${DECLARATIONS}//`;
  const padding = charsMax - BAD.length - declarations.length;
  const whole = await checker.check(BAD, declarations + "x".repeat(padding));
  deepStrictEqual(essence(whole), { status: "checked", reason: null, findings: [FINDING] });
  const longer = await checker.check(BAD, declarations + "x".repeat(padding + 1));
  match(longer.reason ?? "", /too long to check/);
});

const REPLIES: readonly (readonly [string, string, RegExp])[] = [
  ["what is not JSON", "say(FINDINGS, stamp, '[')", /crashed/],
  ["what is not a list", "say(FINDINGS, stamp, '{}')", /crashed/],
  ["no place", 'say(FINDINGS, stamp, \'[{"line":0,"column":1,"message":"x"}]\')', /crashed/],
  ["half a place", 'say(FINDINGS, stamp, \'[{"line":1.5,"column":1,"message":"x"}]\')', /crashed/],
  ["no message", 'say(FINDINGS, stamp, \'[{"line":1,"column":1}]\')', /crashed/],
  [
    "a message of 301 characters",
    `say(FINDINGS, stamp, JSON.stringify([{ line: 1, column: 1, message: "x".repeat(301) }]))`,
    /crashed/,
  ],
  [
    "21 findings",
    `say(FINDINGS, stamp, JSON.stringify(Array(21).fill({ line: 1, column: 1, message: "x" })))`,
    /crashed/,
  ],
  ["another check's answer", "say(FINDINGS, stamp + 1, '[]')", /crashed/],
  ["a second ready", "say(READY, 0, '')", /crashed/],
  ["an unknown frame", "say(1, stamp, '[]')", /crashed/],
  ["a frame that is too long", "say(FINDINGS, stamp, '[]', 65537)", /crashed/],
  ["bytes that are not a frame", "console.log('hello '.repeat(100))", /crashed/],
  ["that it failed", "say(FAILED, stamp, '\"internal\"')", /failed on this program/],
  ["that it is nested too deeply", "say(FAILED, stamp, '\"nesting\"')", /nested too deeply/],
  ["nothing and ends", "Deno.exit(3)", /crashed/],
];

for (const [name, reply, reason] of REPLIES) {
  Deno.test(`check() is without result if its process says ${name}`, async () => {
    const program = `say(READY, 0, ""); while (true) { const { stamp } = await next(); ${reply}; }`;
    const checker = openChecker({ command: fakeCommand(program), log: silent });
    await using _checker = closing(checker);
    const report = await checker.check(GOOD, DECLARATIONS);
    deepStrictEqual([report.status, report.findings], ["unchecked", []]);
    match(report.reason ?? "", reason);
  });
}

Deno.test("check() takes twenty findings of 300 characters and drops control characters", async () => {
  const program = `say(READY, 0, "");
    const { stamp } = await next();
    const message = "a\\u0000b\\u001b[31m\\u202e\\n" + "x".repeat(290);
    say(FINDINGS, stamp, JSON.stringify(Array(20).fill({ line: 1, column: 2, message })));
    await next();`;
  const checker = openChecker({ command: fakeCommand(program), log: silent });
  await using _checker = closing(checker);
  const { findings } = await checker.check(GOOD, DECLARATIONS);
  strictEqual(findings.length, 20);
  ok(findings.every(({ message }) => message === `a b [31m  ${"x".repeat(290)}`));
});

Deno.test("check() says so when no process comes up", async () => {
  const logged: string[] = [];
  const log = (_level: string, message: string) => void logged.push(message);
  const missing = openChecker({
    command: () => ({ command: "/nonexistent/deno", args: [], env: {} }),
    log,
  });
  await using _missing = closing(missing);
  match((await missing.check(GOOD, DECLARATIONS)).reason ?? "", /did not start/);
  const ending = openChecker({ command: fakeCommand("throw new Error('no');"), log });
  await using _ending = closing(ending);
  match((await ending.check(GOOD, DECLARATIONS)).reason ?? "", /did not start/);
  const deadline = performance.now() + 10_000;
  while (!logged.includes("Checker did not start") && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  deepStrictEqual([...new Set(logged)], ["Cannot start the checker", "Checker did not start"]);
});

Deno.test("a checker that is closed while it starts complains of nothing", async () => {
  const logged: string[] = [];
  const log = (_level: string, message: string) => void logged.push(message);
  const checker = openChecker({ command: fakeCommand("await next();"), log });
  const report = checker.check(GOOD, DECLARATIONS);
  await checker.close();
  match((await report).reason ?? "", /./);
  deepStrictEqual(logged, []);
});

Deno.test("check() gives up what waits too long, and more than 64 that wait", async () => {
  const program = `say(READY, 0, ""); while (true) await next();`;
  const checker = openChecker({ command: fakeCommand(program), timeBudgetMs: 400, log: silent });
  await using _checker = closing(checker);
  const programs = Array.from({ length: 66 }, (_, index) => `return ${index};`);
  const reports = await Promise.all(programs.map((code) => checker.check(code, DECLARATIONS)));
  const [first, ...others] = reports;
  match(first?.reason ?? "", /longer than 0.4 s/);
  ok(others.every(({ reason }) => /busy/.test(reason ?? "")));
  const last = reports.at(-1);
  ok(last !== undefined && last.ms < 200, `${last?.ms} ms`);
  ok(reports.slice(1, -1).every(({ ms }) => ms >= 390));
});

Deno.test("close() ends the process and the checks under way", async () => {
  const program = `say(READY, 0, "");
    const { stamp } = await next();
    say(FINDINGS, stamp, "[]");
    await next();
    while (true);`;
  const checker = openChecker({ command: fakeCommand(program), timeBudgetMs: 20_000, log: silent });
  await using _checker = closing(checker);
  strictEqual((await checker.check(GOOD, DECLARATIONS)).status, "checked");
  const running = checker.check(GOOD, DECLARATIONS);
  const waiting = checker.check(BAD, DECLARATIONS);
  const start = performance.now();
  await checker.close();
  strictEqual((await running).status, "unchecked");
  strictEqual((await waiting).reason, "The checker is closed");
  ok(performance.now() - start < 5_000);
});

Deno.test("close() does not wait for a process that never comes up", async () => {
  const checker = openChecker({ command: fakeCommand("await next();"), log: silent });
  await using _checker = closing(checker);
  const running = checker.check(GOOD, DECLARATIONS);
  const start = performance.now();
  await checker.close();
  strictEqual((await running).reason, "The checker is closed");
  ok(performance.now() - start < 5_000);
});
