import { nearest } from "../../model/nearest.ts";
import { toolFromName } from "../../model/named_tool.ts";
import { DEFAULT_SPACE } from "../../model/space.ts";
import type { Tool } from "../../model/tool.ts";
import type { ToolClasses } from "../classify.ts";
import { type CompiledRule, compileRule, namesTool } from "../compiled_rule.ts";
import { schemaAt } from "../condition/argument_types.ts";
import type { PolicyDocument } from "../file/document.ts";
import type { Place, PolicyProblem } from "../file/policy_error.ts";
import { OWNER } from "../file/schema.ts";
import { concernsTool } from "../rule_tests.ts";
import { compileNamePattern, compileToolPattern } from "../tool_pattern.ts";
import { checkCondition, checkMessage, mayHave } from "./check_conditions.ts";

/** How many conditions that run over lists may apply to one tool. */
const LOOPS_MAX = 64;

/**
 * Checks a policy for contradictions and against the tools of the catalog.
 *
 * Without any tool it makes only the checks that need the files alone.
 */
export function checkPolicy(
  document: PolicyDocument,
  classes: ToolClasses,
  tools: readonly Tool[],
): PolicyProblem[] {
  const rules = document.rules.map(compileRule);
  return [
    ...checkGroups(document),
    ...checkTestSpaces(document),
    ...checkTestGroups(document),
    ...(tools.length === 0 ? rules.flatMap((rule) => checkCondition(rule, [])) : [
      ...checkPatterns(document, tools),
      ...checkClassPatterns(document, tools),
      ...rules.flatMap((rule) => checkRule(rule, classes, tools)),
      ...checkLimits(document, tools),
      ...checkLoops(rules, classes, tools),
      ...checkServerNames(document, tools),
      ...checkTestCalls(document, tools),
    ]),
  ].toSorted((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line);
}

/**
 * The problems that prevent the activation of a policy.
 *
 * @param isListed false for a configured server whose tools are currently unknown; patterns that
 * name this server cannot be checked.
 */
export function blockingProblems(
  problems: readonly PolicyProblem[],
  isListed: (server: string) => boolean,
): PolicyProblem[] {
  return problems.filter(({ severity, server }) =>
    severity === "error" && (server === undefined || server === null || isListed(server))
  );
}

/** The same problems; a pattern that names a server with unknown tools becomes a warning. */
export function withUnlisted(
  problems: readonly PolicyProblem[],
  isListed: (server: string) => boolean,
): PolicyProblem[] {
  const blocking = new Set(blockingProblems(problems, isListed));
  return problems.map((problem) => {
    if (problem.severity !== "error" || blocking.has(problem)) return problem;
    const message = `cannot be judged while the server does not answer: ${problem.message}`;
    return { ...problem, severity: "warning", message };
  });
}

function checkGroups(document: PolicyDocument): PolicyProblem[] {
  const known = [...document.groups.keys()];
  const check = (place: Place, subject: string, name: string, alsoOwner: boolean) => {
    if (document.groups.has(name) || (alsoOwner && name === OWNER)) return [];
    const candidates = alsoOwner ? [...known, OWNER] : known;
    return [
      error(place, "group", `${subject}: unknown group "${name}"`, nearestOf(name, candidates)),
    ];
  };
  return [
    ...[...document.groups].filter(([name]) => name === OWNER).map(([, group]) =>
      error(group.place, "group", `group "${OWNER}": the name is reserved for the signed-in user`)
    ),
    ...[...document.spaces ?? []].flatMap(([space, spec]) =>
      (spec.for ?? []).flatMap((name, index) =>
        check(spec.placeOf("for", index), `space "${space}"`, name, false)
      )
    ),
    ...document.rules.flatMap((rule) => [
      ...(rule.for ?? []).flatMap((name, index) =>
        check(rule.placeOf("for", index), `rule "${rule.id}"`, name, false)
      ),
      ...(rule.approval === null
        ? []
        : check(rule.placeOf("by"), `rule "${rule.id}"`, rule.approval.by, true)),
    ]),
    ...document.limits.flatMap((limit) => [
      ...(limit.for ?? []).flatMap((name, index) =>
        check(limit.placeOf("for", index), `limit "${limit.id}"`, name, false)
      ),
      ...check(limit.placeOf("by"), `limit "${limit.id}"`, limit.by, true),
    ]),
  ];
}

function checkTestSpaces({ spaces, tests }: PolicyDocument): PolicyProblem[] {
  const known = spaces === null ? [] : [...spaces.keys()];
  return tests.filter(({ space }) =>
    space !== undefined && space !== DEFAULT_SPACE && !known.includes(space)
  ).map((test) =>
    error(
      test.placeOf("space"),
      "space",
      `unknown space "${test.space}"`,
      nearestOf(test.space ?? "", known),
    )
  );
}

/** Tests name values of claims. Policy authors often write the name of a group there instead. */
function checkTestGroups({ groups, tests }: PolicyDocument): PolicyProblem[] {
  const values = new Set([...groups.values()].map(({ has }) => has));
  return tests.flatMap((test) =>
    (test.as.groups ?? []).flatMap((name, index): PolicyProblem[] => {
      const group = groups.get(name);
      if (group?.has === undefined || values.has(name)) return [];
      return [{
        ...test.placeOf("as", "groups", index),
        severity: "warning",
        kind: "test",
        message: `"${name}" is a group of this policy; "groups" in a test are values of the claim`,
        near: group.has,
      }];
    })
  );
}

/** Reports tests of tools that do not exist: such a test tests nothing. */
function checkTestCalls({ tests }: PolicyDocument, tools: readonly Tool[]): PolicyProblem[] {
  const names = tools.flatMap((tool) => [tool.id, `${tool.server}.${tool.name}`]);
  const known = new Set(names);
  return tests.filter(({ call }) => !known.has(call)).map((test) => ({
    ...error(
      test.placeOf("call"),
      "test",
      `there is no tool "${test.call}"`,
      nearestOf(test.call, names),
    ),
    server: toolFromName(test.call).server,
  }));
}

/** Each pattern of rules, spaces and limits must match a tool. */
function checkPatterns(document: PolicyDocument, tools: readonly Tool[]): PolicyProblem[] {
  const sections = [
    ...[...document.spaces ?? []].map(([name, space]) => ({
      ...space,
      subject: `space "${name}"`,
    })),
    ...document.rules.map((rule) => ({ ...rule, subject: `rule "${rule.id}"` })),
    ...document.limits.map((limit) => ({ ...limit, subject: `limit "${limit.id}"` })),
  ];
  const names = tools.flatMap((tool) => [tool.id, `${tool.server}.${tool.name}`]);
  const servers = tools.flatMap((tool) => [tool.server, tool.serverIdentifier]);
  return sections.flatMap(({ subject, tools: patterns, placeOf }) =>
    (patterns ?? []).flatMap((text, index): PolicyProblem[] => {
      const pattern = compileToolPattern(text);
      if (tools.some(pattern.matches)) return [];
      const isServer = pattern.server === null || servers.includes(pattern.server);
      const place = placeOf("tools", index);
      const found = isServer
        ? error(place, "pattern", `${subject}: "${text}" matches no tool`, nearestOf(text, names))
        : error(
          place,
          "pattern",
          `${subject}: "${text}" matches no tool, there is no server "${pattern.server}"`,
          nearestOf(pattern.server ?? "", servers),
        );
      return [{ ...found, server: pattern.server }];
    })
  );
}

/** In classes a full name must exist; a pattern with a star may be meant for future tools. */
function checkClassPatterns(document: PolicyDocument, tools: readonly Tool[]): PolicyProblem[] {
  const servers = [...new Set(tools.map(({ server }) => server))];
  return [...document.tools].flatMap(([server, spec]): PolicyProblem[] => {
    const ofServer = tools.filter((tool) => compileToolPattern(`${server}.*`).matches(tool));
    if (ofServer.length === 0) {
      const found = error(
        spec.place,
        "pattern",
        `there is no server "${server}"`,
        nearestOf(server, servers),
      );
      return [{ ...found, server }];
    }
    const names = ofServer.map(({ name }) => name);
    const sections = ["read", "write", "destructive", "untrusted"] as const;
    const listed = sections.flatMap((section) => {
      const patterns = spec[section];
      return Array.isArray(patterns)
        ? patterns.map((text, index) => ({ text, place: spec.placeOf(section, index) }))
        : [];
    });
    const priced = Object.keys(spec.price ?? {})
      .map((text) => ({ text, place: spec.placeOf("price", text) }));
    return [...listed, ...priced].filter(({ text }) => !ofServer.some(compileNamePattern(text)))
      .map(({ text, place }) => {
        const found = error(
          place,
          "pattern",
          `server "${server}" has no tool "${text}"`,
          nearestOf(text, names),
        );
        return text.includes("*") ? { ...found, severity: "warning" as const } : found;
      });
  });
}

function checkRule(
  rule: CompiledRule,
  classes: ToolClasses,
  tools: readonly Tool[],
): PolicyProblem[] {
  const named = tools.filter((tool) => namesTool(rule, tool));
  const concerned = named.filter((tool) =>
    concernsTool(rule, { tool, access: classes.classify(tool) })
  );
  const access = rule.rule.access.join(" or ");
  const idle: PolicyProblem[] = named.length > 0 && concerned.length === 0
    ? [{
      ...rule.rule.place,
      severity: "warning",
      kind: "pattern",
      message: `rule "${rule.rule.id}" never matches: no tool it names is ${access}`,
      near: null,
    }]
    : [];
  return [...idle, ...checkCondition(rule, concerned), ...checkMessage(rule, concerned)];
}

/** Bounds the work of one decision: few conditions may run over lists. */
function checkLoops(
  rules: readonly CompiledRule[],
  classes: ToolClasses,
  tools: readonly Tool[],
): PolicyProblem[] {
  const looping = rules.filter(({ condition }) => condition?.loops === true);
  if (looping.length <= LOOPS_MAX) return [];
  return tools.flatMap((tool) => {
    const access = classes.classify(tool);
    const own = looping.filter((rule) => concernsTool(rule, { tool, access }));
    const first = own[LOOPS_MAX];
    if (first === undefined) return [];
    const message = `${own.length} conditions with all(), exists(), map() or filter() are about ` +
      `${tool.id}, the limit is ${LOOPS_MAX}`;
    return [error(first.rule.placeOf("when"), "condition", message)];
  });
}

/** `pay.eu.refund` could be a tool of the server pay or of the server pay.eu. */
function checkServerNames({ files }: PolicyDocument, tools: readonly Tool[]): PolicyProblem[] {
  const servers = [...new Set(tools.map(({ server }) => server))];
  const place = { path: files[0]?.path ?? "", line: 0 };
  return servers.flatMap((server) =>
    servers.filter((other) => other.startsWith(`${server}.`)).map((other) => ({
      ...error(
        place,
        "pattern",
        `patterns cannot tell the servers "${server}" and "${other}" apart; ` +
          `write "${other.replaceAll(/[^\w$]/g, "_")}" for the second`,
      ),
      severity: "warning" as const,
    }))
  );
}

/** A limit that sums an argument needs tools that have this argument, as a number. */
function checkLimits({ limits }: PolicyDocument, tools: readonly Tool[]): PolicyProblem[] {
  return limits.flatMap((limit) => {
    if (!limit.unit.startsWith("args.")) return [];
    const path = limit.unit.split(".").slice(1);
    const matchers = limit.tools?.map(compileToolPattern) ?? null;
    return tools.filter((tool) => matchers?.some((pattern) => pattern.matches(tool)) ?? true)
      .flatMap((tool) => {
        const place = limit.placeOf("unit");
        const subject = `limit "${limit.id}": ${tool.id}`;
        const names = namesAt(tool, path.slice(0, -1));
        const last = path.at(-1) ?? "";
        if (!mayHave(tool, path)) {
          return [
            error(place, "condition", `${subject} has no ${limit.unit}`, nearestOf(last, names)),
          ];
        }
        return isNumeric(schemaAt(tool.inputSchema, path))
          ? []
          : [error(place, "condition", `${subject} has no number in ${limit.unit}`)];
      });
  });
}

function namesAt(tool: Tool, path: readonly string[]): string[] {
  const schema = schemaAt(tool.inputSchema, path);
  const properties = typeof schema === "object" && schema !== null && "properties" in schema
    ? schema.properties
    : null;
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
}

function isNumeric(schema: unknown): boolean {
  if (typeof schema !== "object" || schema === null || !("type" in schema)) return true;
  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
  return types.includes("number") || types.includes("integer");
}

function error(
  place: Place,
  kind: PolicyProblem["kind"],
  message: string,
  near: string | null = null,
): PolicyProblem {
  return { path: place.path, line: place.line, severity: "error", kind, message, near };
}

/** The candidate that the author probably meant; null if none is near. */
function nearestOf(word: string, candidates: readonly string[]): string | null {
  return word === "" ? null : nearest(word, new Set(candidates), 1)[0] ?? null;
}
