import { z } from "zod";
import { parseDurationMs } from "../../model/time/duration.ts";

/** Words that decisions use in place of rule ids; a rule cannot have such an id. */
export const RESERVED_RULE_IDS: readonly string[] = ["space", "no-allow-rule", "bundle-expired"];

/** The approver that is not a group: the signed-in user. */
export const OWNER = "owner";

const NameSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, {
  error: "must be letters, digits, - or _, at most 64",
});
const PatternSchema = z.string().min(1).max(300);
const PatternsSchema = z.array(PatternSchema).min(1).max(1_000);
const NamesSchema = z.array(NameSchema).min(1).max(100);
const MessageSchema = z.string().min(1).max(1_000);
const AccessSchema = z.literal(["read", "write", "destructive"]);
const AccessesSchema = AccessSchema.or(z.array(AccessSchema).min(1).max(3));

function durationSchema(minMs: number, maxMs: number) {
  return z.string().refine((text) => {
    const ms = parseDurationMs(text);
    return ms !== null && ms >= minMs && ms <= maxMs;
  }, { error: `must be a duration such as 15m, 1h or 1d, from ${minMs} to ${maxMs} ms` });
}

/** WHO: one test on the verified identity. */
export const GroupSchema = z.strictObject({
  /** A claim, or a path such as `realm_access.roles`. */
  claim: z.string().min(1).max(200).optional(),
  has: z.string().min(1).max(500).optional(),
  client: z.string().min(1).max(500).optional(),
  sub: z.string().min(1).max(500).optional(),
}).refine((group) => (group.claim === undefined) === (group.has === undefined), {
  error: 'needs "claim" and "has" together',
}).refine((group) => Object.keys(group).length > 0, {
  error: 'needs "claim" and "has", "client" or "sub"',
});

/** WHAT: our own class for the tools of one server. */
export const ServerToolsSchema = z.strictObject({
  read: PatternsSchema.optional(),
  write: PatternsSchema.optional(),
  destructive: PatternsSchema.optional(),
  /** US dollars per call, by tool pattern. */
  price: z.record(PatternSchema, z.number().min(0).max(1_000_000)).optional(),
  /** Results taint the rest of the execution: all tools, or those named. */
  untrusted: z.boolean().or(PatternsSchema).optional(),
});

/** WHERE: a virtual server. */
export const SpaceSchema = z.strictObject({
  for: NamesSchema.optional(),
  tools: PatternsSchema,
});

export const RuleSchema = z.strictObject({
  id: NameSchema,
  allow: AccessesSchema.optional(),
  ask: AccessesSchema.optional(),
  deny: AccessesSchema.optional(),
  tools: PatternsSchema.optional(),
  for: NamesSchema.optional(),
  scopes: z.array(z.string().min(1).max(200)).min(1).max(50).optional(),
  when: z.string().min(1).max(2_000).optional(),
  message: MessageSchema.optional(),
  observe: z.boolean().default(false),
  by: NameSchema.optional(),
  expires: durationSchema(1_000, 2_592_000_000).optional(),
  covers: z.enum(["call", "tool"]).optional(),
  max: z.int().min(1).max(10_000).optional(),
}).superRefine((rule, context) => {
  const verbs = [rule.allow, rule.ask, rule.deny].filter((verb) => verb !== undefined).length;
  if (verbs !== 1) {
    context.addIssue({ code: "custom", message: 'needs exactly one of "allow", "ask", "deny"' });
  }
  if (rule.ask !== undefined && rule.by === undefined) {
    context.addIssue({ code: "custom", message: 'asks, so it needs "by": a group or owner' });
  }
  if (rule.ask === undefined) {
    for (const key of ["by", "expires", "covers", "max"] as const) {
      if (rule[key] !== undefined) {
        context.addIssue({ code: "custom", path: [key], message: 'goes with "ask" only' });
      }
    }
  }
  if (rule.max !== undefined && rule.covers !== "tool") {
    context.addIssue({ code: "custom", path: ["max"], message: 'goes with "covers: tool" only' });
  }
  if (RESERVED_RULE_IDS.includes(rule.id)) {
    context.addIssue({ code: "custom", path: ["id"], message: "is a reserved word" });
  }
});

export const LimitSchema = z.strictObject({
  id: NameSchema,
  per: z.enum(["execution", "user", "principal", "group", "space", "tenant"]),
  /** The counters hold millionths exactly up to this. */
  max: z.number().positive().max(9_000_000_000),
  unit: z.enum(["calls", "tokens", "usd", "bytes"]).or(
    z.string().regex(/^args(\.[A-Za-z_$][\w$-]*){1,8}$/, { abort: true }).describe("args.<path>"),
  ),
  every: durationSchema(1_000, 31_622_400_000).optional(),
  tools: PatternsSchema.optional(),
  for: NamesSchema.optional(),
  over: z.enum(["deny", "ask"]).default("deny"),
  by: NameSchema.optional(),
  message: MessageSchema.optional(),
}).superRefine((limit, context) => {
  if (limit.per === "execution" && limit.every !== undefined) {
    context.addIssue({
      code: "custom",
      path: ["every"],
      message: "does not go with per: execution, which lasts as long as the execution",
    });
  }
  if (limit.per !== "execution" && limit.every === undefined) {
    context.addIssue({
      code: "custom",
      message: 'needs "every": the length of its window, such as 1h or 1d',
    });
  }
  if (limit.by !== undefined && limit.over !== "ask") {
    context.addIssue({ code: "custom", path: ["by"], message: 'goes with "over: ask" only' });
  }
  if (["calls", "bytes", "tokens"].includes(limit.unit) && !Number.isInteger(limit.max)) {
    context.addIssue({ code: "custom", path: ["max"], message: "must be a whole number" });
  }
});

export const RedactionSchema = z.enum(["secrets", "email"]).or(z.strictObject({
  name: NameSchema,
  /** Text in which `*` stands for a run of characters that are not white space, quote or comma. */
  pattern: z.string().min(3).max(200),
}));

export const OutputSchema = z.strictObject({
  redact: z.array(RedactionSchema).max(50).default([]),
  max: z.strictObject({ bytes: z.int().min(1_024).max(134_217_728) }).optional(),
  schema: z.enum(["off", "warn", "block"]).default("off"),
});

export const TestPrincipalSchema = z.strictObject({
  sub: z.string().max(500).optional(),
  client: z.string().max(500).optional(),
  /** The `groups` claim. */
  groups: z.array(z.string().max(500)).max(1_000).optional(),
  scopes: z.array(z.string().max(500)).max(1_000).optional(),
  claims: z.record(z.string(), z.json()).optional(),
  spaces: z.array(z.string().max(500)).max(1_000).optional(),
});

export const TestExecutionSchema = z.strictObject({
  tainted: z.boolean().default(false),
  sources: z.array(z.string()).max(1_000).default([]),
});

export const PolicyTestSchema = z.strictObject({
  as: TestPrincipalSchema,
  call: z.string().min(3).max(300),
  args: z.record(z.string(), z.json()).default({}),
  exec: TestExecutionSchema.optional(),
  space: NameSchema.optional(),
  expect: z.enum(["allow", "deny", "hidden", "ask"]).or(
    z.string().regex(/^ask [A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, { abort: true }).describe(
      "ask <group>",
    ),
  ),
});

/** One policy file. */
export const PolicyFileSchema = z.strictObject({
  version: z.literal(1),
  name: NameSchema,
  mode: z.enum(["enforce", "observe"]).default("enforce"),
  groups: z.record(NameSchema, GroupSchema).default({}),
  tools: z.record(PatternSchema, ServerToolsSchema).default({}),
  spaces: z.record(NameSchema, SpaceSchema).optional(),
  rules: z.array(RuleSchema).max(10_000).default([]),
  limits: z.array(LimitSchema).max(1_000).default([]),
  output: OutputSchema.optional(),
  tests: z.array(PolicyTestSchema).max(10_000).default([]),
});

export type PolicyFile = z.infer<typeof PolicyFileSchema>;
export type GroupSpec = z.infer<typeof GroupSchema>;
export type ServerToolsSpec = z.infer<typeof ServerToolsSchema>;
export type SpaceSpec = z.infer<typeof SpaceSchema>;
export type RuleSpec = z.infer<typeof RuleSchema>;
export type LimitSpec = z.infer<typeof LimitSchema>;
export type OutputRules = z.infer<typeof OutputSchema>;
export type TestPrincipal = z.infer<typeof TestPrincipalSchema>;
export type PolicyTest = z.infer<typeof PolicyTestSchema>;
