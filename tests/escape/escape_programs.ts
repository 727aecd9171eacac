/** Reads escape programs and judges how they ended. */
import type { SandboxOutcome } from "../../src/sandbox/run/outcome.ts";

export type Expectation = "block" | "kill" | "contain" | "limit" | "ok";

export interface EscapeProgram {
  readonly name: string;
  readonly expect: Expectation;
  /** Error codes that are right; empty: any limit. */
  readonly codes: readonly string[];
  /** JSON of the result; null if any will do. */
  readonly value: string | null;
  readonly code: string;
}

/** Programs of a folder, sorted by name. An absent folder has none. */
export function readPrograms(folder: string): EscapeProgram[] {
  const programs: EscapeProgram[] = [];
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(folder)];
  } catch {
    return [];
  }
  for (const { name } of entries) {
    if (!/^[a-h][0-9_].*\.(txt|ts)$/.test(name)) continue;
    programs.push(parseProgram(name, Deno.readTextFileSync(`${folder}/${name}`)));
  }
  return programs.sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function parseProgram(name: string, text: string): EscapeProgram {
  const found = /^\/\/ EXPECT (block|kill|contain|limit|ok)(?: \[([A-Z_|]+)\])?/.exec(text);
  if (found === null) throw new Error(`${name} does not say what it expects`);
  const value = /^.*\n\/\/ VALUE (.*)\n/.exec(text)?.[1] ?? null;
  const lines = text.split("\n").slice(value === null ? 1 : 2);
  return {
    name: name.replace(/\.(txt|ts)$/, ""),
    expect: found[1] as Expectation,
    codes: found[2]?.split("|") ?? [],
    value,
    code: lines.join("\n").replaceAll(
      /«(\d+)\*([^»]*)»/g,
      (_, times, part) => part.repeat(Number(times)),
    ),
  };
}

const LIMIT_CODE = /^ERR_SANDBOX_(?!CRASH|PROTOCOL|UNAVAILABLE)|^ERR_RESULT_FORM$/;

/** Why an outcome is not what the program expects; null if it is. */
export function judge(program: EscapeProgram, outcome: SandboxOutcome): string | null {
  const code = outcome.error?.code ?? "";
  const texts = [
    JSON.stringify(JSON.parse(outcome.resultJson ?? "null")),
    ...outcome.logs.map((line) => line.text),
    // An error of the parser quotes the program.
    code === "ERR_SYNTAX" ? "" : outcome.error?.message ?? "",
  ];
  if (/ESCAPED(?!\?)/.test(texts.join("\n"))) return `it got out: ${texts.join(" ").slice(0, 200)}`;
  if (code === "ERR_SANDBOX_CRASH" || code === "ERR_SANDBOX_PROTOCOL") {
    return `it ended with ${code}`;
  }
  if (program.codes.length > 0 && !program.codes.includes(code)) {
    return `it ended with "${code}" (${outcome.error?.message.slice(0, 100)})`;
  }
  switch (program.expect) {
    case "ok":
      if (outcome.status !== "ok") return `it failed: ${code} ${outcome.error?.message}`;
      if (program.value !== null && (outcome.resultJson ?? "null") !== canonical(program.value)) {
        return `it returned ${outcome.resultJson}`;
      }
      return null;
    case "block":
      return outcome.status === "timeout" ? "it ran into a clock" : null;
    case "limit":
      if (outcome.status === "timeout") return "it ran into a clock";
      return outcome.status === "ok" || LIMIT_CODE.test(code) || /^ERR_(SYNTAX|PROGRAM)$/.test(code)
        ? null
        : `it ended with ${code}`;
    case "kill":
    case "contain":
      return LIMIT_CODE.test(code)
        ? null
        : `it ended with "${code}" ${outcome.error?.message ?? ""}`;
  }
}

function canonical(json: string): string {
  return JSON.stringify(JSON.parse(json));
}
