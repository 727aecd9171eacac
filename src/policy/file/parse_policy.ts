import { describeProblems } from "../../config/problems.ts";
import type { LimitRule, LimitUnit } from "../../model/limit_rule.ts";
import { parseDurationMs } from "../../model/time/duration.ts";
import type { Placed, PlaceOf, PolicyDocument, PolicyText, Rule } from "./document.ts";
import { PolicyError, type PolicyProblem } from "./policy_error.ts";
import {
  type LimitSpec,
  type OutputRules,
  OWNER,
  type PolicyFile,
  PolicyFileSchema,
  type PolicyTest,
  type RuleSpec,
} from "./schema.ts";
import { parsePolicyYaml } from "./yaml.ts";

const EXPIRES_DEFAULT = "15m";
const OUTPUT_DEFAULT: OutputRules = { redact: [], schema: "off" };

interface ParsedFile {
  readonly file: PolicyFile;
  readonly placeOf: PlaceOf;
}

/**
 * Parses policy files and merges them into one document.
 *
 * Groups, tools, spaces, rules, limits and output may be spread over files, but each name may have
 * only one definition.
 *
 * @throws {PolicyError} with every syntax and schema problem, or with both places of each clash.
 */
export function parsePolicy(files: readonly PolicyText[]): PolicyDocument {
  const sorted = files.toSorted((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
  const problems: PolicyProblem[] = [];
  const parsed = sorted.flatMap((text) => {
    try {
      return [parseFile(text)];
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      problems.push(...error.problems);
      return [];
    }
  });
  throwAny(problems);
  return merge(parsed, sorted);
}

function parseFile(text: PolicyText): ParsedFile {
  const { path } = text;
  const { value, lineOf } = parsePolicyYaml(text);
  const fail = (line: number, message: string, near: string | null = null): PolicyProblem => ({
    path,
    line,
    severity: "error",
    kind: "schema",
    message,
    near,
  });
  const parsed = checkShape(value);
  if (parsed === null) throw new PolicyError([fail(0, "the file is nested too deeply")]);
  if (!parsed.success) {
    const [first, ...rest] = describeProblems(PolicyFileSchema, parsed.error.issues, value)
      .map((found) => {
        const subject = found.key === "" ? "the file" : `"${found.key}"`;
        return fail(lineOf(found.path), `${subject} ${found.problem}`, found.near ?? null);
      })
      // A misspelt key often also causes a missing key: report the spelling first.
      .toSorted((a, b) => Number(a.near === null) - Number(b.near === null));
    throw new PolicyError([first ?? fail(0, "the file has an unknown problem"), ...rest]);
  }
  return { file: parsed.data, placeOf: (...keys) => ({ path, line: lineOf(keys) }) };
}

function checkShape(value: unknown): ReturnType<typeof PolicyFileSchema.safeParse> | null {
  try {
    return PolicyFileSchema.safeParse(value);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function merge(parsed: readonly ParsedFile[], files: readonly PolicyText[]): PolicyDocument {
  const problems: PolicyProblem[] = [];
  const observing = parsed.length > 0 && parsed.every(({ file }) => file.mode === "observe");
  const clashes = <T>(kind: string, entries: readonly (readonly [string, Placed<T>])[]) =>
    collect(kind, entries, problems);
  const named = <T extends object>(
    kind: string,
    section: "groups" | "tools" | "spaces",
    pick: (file: PolicyFile) => { readonly [name: string]: T } | undefined,
  ) =>
    clashes(
      kind,
      parsed.flatMap(({ file, placeOf }) =>
        Object.entries(pick(file) ?? {}).map(([name, value]) =>
          [name, placed(value, placeOf, section, name)] as const
        )
      ),
    );
  const groups = named("group", "groups", (file) => file.groups);
  const tools = named("tools of server", "tools", (file) => file.tools);
  const spaces = named("space", "spaces", (file) => file.spaces);
  const rules = clashes(
    "rule",
    parsed.flatMap(({ file, placeOf }) =>
      file.rules.map((rule, index) =>
        [
          rule.id,
          placed(toRule(rule, !observing && file.mode === "observe"), placeOf, "rules", index),
        ] as const
      )
    ),
  );
  const limits = clashes(
    "limit",
    parsed.flatMap(({ file, placeOf }) =>
      file.limits.map((limit, index) =>
        [limit.id, placed(toLimit(limit), placeOf, "limits", index)] as const
      )
    ),
  );
  const observedLimits = new Set(
    parsed.filter(({ file }) => !observing && file.mode === "observe")
      .flatMap(({ file }) => file.limits.map(({ id }) => id)),
  );
  const outputs = clashes(
    "section",
    parsed.flatMap(({ file, placeOf }) =>
      file.output === undefined
        ? []
        : [["output", placed({ value: file.output }, placeOf, "output")] as const]
    ),
  );
  throwAny(problems);
  const tests: Placed<PolicyTest>[] = parsed.flatMap(({ file, placeOf }) =>
    file.tests.map((test, index) => placed(test, placeOf, "tests", index))
  );
  return {
    name: parsed.map(({ file }) => file.name).toSorted().join("+"),
    mode: observing ? "observe" : "enforce",
    groups,
    tools,
    spaces: parsed.some(({ file }) => file.spaces !== undefined) ? spaces : null,
    rules: [...rules.values()],
    limits: [...limits.values()].filter(({ id }) => !observedLimits.has(id)),
    output: outputs.get("output")?.value ?? OUTPUT_DEFAULT,
    tests,
    files,
  };
}

function placed<T>(value: T, placeOf: PlaceOf, ...path: PropertyKey[]): Placed<T> {
  return { ...value, place: placeOf(...path), placeOf: (...more) => placeOf(...path, ...more) };
}

/** Keeps the first definition of each name and reports every further one with both places. */
function collect<T>(
  kind: string,
  entries: readonly (readonly [string, Placed<T>])[],
  problems: PolicyProblem[],
): Map<string, Placed<T>> {
  const collected = new Map<string, Placed<T>>();
  for (const [name, value] of entries) {
    const first = collected.get(name);
    if (first === undefined) {
      collected.set(name, value);
      continue;
    }
    problems.push({
      ...value.place,
      severity: "error",
      kind: "clash",
      message:
        `${kind} "${name}" is defined twice, first at ${first.place.path}:${first.place.line}`,
      near: null,
    });
  }
  return collected;
}

/** Adds every default to a rule of a file. */
export function toRule(spec: RuleSpec, observe: boolean): Rule {
  const { allow, ask, deny, by, expires, covers, max, ...fields } = spec;
  const effect = allow !== undefined ? "allow" : ask !== undefined ? "ask" : "deny";
  const access = allow ?? ask ?? deny ?? [];
  return {
    tools: null,
    for: null,
    scopes: [],
    when: null,
    message: "",
    ...fields,
    effect,
    access: typeof access === "string" ? [access] : access,
    observe: fields.observe || observe,
    approval: effect !== "ask" ? null : {
      by: by ?? OWNER,
      expiresMs: parseDurationMs(expires ?? EXPIRES_DEFAULT) ?? 0,
      covers: covers ?? "call",
      max: max ?? null,
    },
  };
}

function toLimit(spec: LimitSpec): LimitRule {
  return {
    id: spec.id,
    per: spec.per === "principal" ? "user" : spec.per,
    max: spec.max,
    unit: spec.unit as LimitUnit,
    everyMs: spec.every === undefined ? null : parseDurationMs(spec.every),
    tools: spec.tools ?? null,
    for: spec.for ?? null,
    over: spec.over,
    by: spec.by ?? OWNER,
    message: spec.message ?? "",
  };
}

function throwAny(problems: readonly PolicyProblem[]): void {
  const [first, ...rest] = problems;
  if (first !== undefined) throw new PolicyError([first, ...rest]);
}
