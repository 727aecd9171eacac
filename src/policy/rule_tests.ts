import type { Access } from "../model/tool.ts";
import { type Audience, type Audiences, hasScopes } from "./audience.ts";
import { type CompiledRule, namesTool } from "./compiled_rule.ts";
import type { ToolName } from "./tool_pattern.ts";

/** A tool as rules see it. */
export interface ClassifiedTool {
  readonly tool: ToolName;
  readonly access: Access;
}

/** A caller as rules see it. */
export interface KnownAudience {
  readonly audience: Audience;
  readonly audiences: Pick<Audiences, "hasGroup">;
}

/** One test of a rule that comes before its condition. */
export interface RuleTest<Subject> {
  readonly passes: (rule: CompiledRule, subject: Subject) => boolean;
  /** Why the test fails, for an explanation; empty if there are no details. */
  readonly detail: (rule: CompiledRule, subject: Subject) => string;
  /** The words that a person reads beside a rule that failed this test. */
  readonly words: string;
}

/** Tests of the tool: each answer is cached with the tool. */
export const TOOL_TESTS = {
  class: {
    passes: (rule, { access }) => rule.access.has(access),
    detail: (_rule, { access }) => `the tool is ${access}`,
    words: "other class",
  },
  tool: {
    passes: (rule, { tool }) => namesTool(rule, tool),
    detail: ({ rule }) => rule.tools?.join(", ") ?? "",
    words: "other tools",
  },
} as const satisfies { readonly [verdict: string]: RuleTest<ClassifiedTool> };

/** Tests of the caller: each answer is cached for all callers with the same groups and scopes. */
export const AUDIENCE_TESTS = {
  group: {
    passes: (rule, { audience, audiences }) => audiences.hasGroup(audience, rule),
    detail: ({ rule }) => rule.for?.join(", ") ?? "",
    words: "other groups",
  },
  scope: {
    passes: ({ rule }, { audience }) => hasScopes(audience, rule.scopes),
    detail: ({ rule }, { audience }) =>
      rule.scopes.filter((scope) => !audience.scopes.has(scope)).join(", "),
    words: "scope is missing",
  },
} as const satisfies { readonly [verdict: string]: RuleTest<KnownAudience> };

type UnmetVerdict = keyof typeof TOOL_TESTS | keyof typeof AUDIENCE_TESTS;

/** The names of all tests, in the order of an explanation. */
export const UNMET_VERDICTS = Object.keys({
  ...TOOL_TESTS,
  ...AUDIENCE_TESTS,
}) as readonly UnmetVerdict[];

// Made once: policies are held against every tool of the catalog whenever they are read.
const TOOL_TEST_LIST: readonly RuleTest<ClassifiedTool>[] = Object.values(TOOL_TESTS);
const AUDIENCE_TEST_LIST: readonly RuleTest<KnownAudience>[] = Object.values(AUDIENCE_TESTS);

/** Whether a rule is about a tool of this class. */
export function concernsTool(rule: CompiledRule, subject: ClassifiedTool): boolean {
  return passesAll(TOOL_TEST_LIST, rule, subject);
}

/** Whether a rule is about this caller. */
export function concernsAudience(rule: CompiledRule, subject: KnownAudience): boolean {
  return passesAll(AUDIENCE_TEST_LIST, rule, subject);
}

function passesAll<Subject>(
  tests: readonly RuleTest<Subject>[],
  rule: CompiledRule,
  subject: Subject,
): boolean {
  for (const test of tests) if (!test.passes(rule, subject)) return false;
  return true;
}

/** The first test that a rule fails, with details; null if it passes all. */
export function firstUnmet<Verdict extends string, Subject>(
  tests: { readonly [verdict in Verdict]: RuleTest<Subject> },
  rule: CompiledRule,
  subject: Subject,
): readonly [Verdict, detail: string] | null {
  for (const verdict of Object.keys(tests) as Verdict[]) {
    const test = tests[verdict];
    if (!test.passes(rule, subject)) return [verdict, test.detail(rule, subject)];
  }
  return null;
}
