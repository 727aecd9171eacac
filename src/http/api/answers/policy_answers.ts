import { z } from "zod";
import type { ApprovalDemand, Decision, Visibility } from "../../../model/decision.ts";
import type { LimitRule } from "../../../model/limit_rule.ts";
import type { Principal } from "../../../model/principal.ts";
import type { PolicyCheck, PolicyInForce } from "../../../operations/policy.ts";
import type { PolicyStatus } from "../../../policy/active_policy.ts";
import type { PolicyTestFailure, PolicyTestReport } from "../../../policy/check/policy_tests.ts";
import { type Explanation, RULE_VERDICTS, type RuleTrace } from "../../../policy/explain.ts";
import { OutputSchema } from "../../../policy/file/schema.ts";
import type { Place } from "../../../policy/file/policy_error.ts";
import type { GateExplanation, GateStep } from "../../../supervisor/call/explain_gate.ts";
import type { LimitUse } from "../../../usage/quota.ts";
import { objectOf } from "./object_of.ts";
import {
  AccessSchema,
  DecidedEffectSchema,
  EffectSchema,
  ShownEffectSchema,
  VisibleEffectSchema,
} from "./words.ts";

const STATUS = {
  source: z.string(),
  name: z.string(),
  digest: z.string(),
  since: z.string(),
  problems: z.array(z.string()),
  rejected: z.string().nullable(),
};

/** Answer of `POST /policy/reload`. */
export const PolicyStatusSchema = objectOf<PolicyStatus>(STATUS);

const PerSchema = z.enum(["execution", "user", "group", "space", "tenant"]);
const OverSchema = z.enum(["deny", "ask"]);

const PLACE = { path: z.string(), line: z.int() };
const PlaceSchema = objectOf<Place>(PLACE);

const LimitRuleSchema = objectOf<LimitRule>({
  id: z.string(),
  per: PerSchema,
  max: z.number(),
  unit: z.union([
    z.enum(["calls", "tokens", "usd", "bytes"]),
    z.templateLiteral(["args.", z.string()]),
  ]),
  everyMs: z.number().nullable(),
  tools: z.array(z.string()).nullable(),
  for: z.array(z.string()).nullable(),
  over: OverSchema,
  by: z.string(),
  message: z.string(),
  place: PlaceSchema.optional(),
});

/** Answer of `GET /policy`. */
export const PolicyInForceSchema = objectOf<PolicyInForce>({
  ...STATUS,
  spaces: z.array(z.string()),
  limits: z.array(LimitRuleSchema),
});

/** Answer of `POST /policy/check`, about the current files. */
export const PolicyCheckSchema = objectOf<PolicyCheck>({
  ...STATUS,
  problems: z.array(objectOf<PolicyCheck["problems"][number]>({
    ...PLACE,
    severity: z.enum(["error", "warning"]),
    kind: z.enum([
      ...["syntax", "schema", "clash", "group", "space", "pattern", "condition", "test"] as const,
    ]),
    message: z.string(),
    near: z.string().nullable(),
    server: z.string().nullable().optional(),
    text: z.string(),
  })),
  inForce: objectOf<PolicyCheck["inForce"]>({
    name: z.string(),
    digest: z.string(),
    since: z.string(),
  }),
  ok: z.boolean(),
});

/** Answer of `POST /policy/test`. */
export const PolicyTestReportSchema = objectOf<PolicyTestReport>({
  total: z.int(),
  passed: z.int(),
  failures: z.array(objectOf<PolicyTestFailure>({
    place: PlaceSchema,
    call: z.string(),
    expected: z.string(),
    got: z.string(),
    because: z.array(z.string()),
    summary: z.string(),
    message: z.string(),
  })),
});

const ApprovalDemandSchema = objectOf<ApprovalDemand>({
  rule: z.string(),
  by: z.string(),
  message: z.string(),
  expiresMs: z.number(),
  covers: z.enum(["call", "tool"]),
  max: z.int().nullable(),
});

const DecisionSchema = objectOf<Decision>({
  effect: DecidedEffectSchema,
  access: AccessSchema,
  because: z.array(z.string()),
  message: z.string(),
  approval: ApprovalDemandSchema.nullable(),
  approvals: z.array(ApprovalDemandSchema),
  observed: DecidedEffectSchema.nullable(),
});

const RuleTraceSchema = objectOf<RuleTrace>({
  id: z.string(),
  effect: EffectSchema,
  matched: z.boolean(),
  verdict: z.enum(RULE_VERDICTS),
  detail: z.string(),
  error: z.string().nullable(),
  observe: z.boolean(),
  place: PlaceSchema,
});

const LimitUseSchema = objectOf<LimitUse>({
  id: z.string(),
  per: PerSchema,
  unit: z.string(),
  max: z.number(),
  used: z.number(),
  by: z.number(),
  fits: z.boolean(),
  over: OverSchema,
  approver: z.string(),
  problem: z.enum(["unreadable", "large", "items"]).nullable(),
  freesAt: z.number().nullable(),
});

/** Answer of `POST /policy/explain`. */
export const ExplanationSchema = objectOf<GateExplanation>({
  call: z.string(),
  effect: ShownEffectSchema,
  gateEffect: ShownEffectSchema,
  because: z.array(z.string()),
  message: z.string(),
  steps: z.array(objectOf<GateStep>({
    step: z.enum(["space", "pin", "schema", "class", "rules", "limits", "approval"]),
    outcome: z.enum(["pass", "stop", "wait"]),
    text: z.string(),
  })),
  limitUses: z.array(LimitUseSchema),
  rejected: z.string().nullable(),
  principal: objectOf<Principal>({
    sub: z.string(),
    issuer: z.string(),
    client: z.string(),
    claims: z.record(z.string(), z.unknown()),
    scopes: z.array(z.string()),
    spaces: z.array(z.string()).nullable(),
  }),
  notes: z.array(z.string()),
  decision: DecisionSchema,
  visibility: objectOf<Visibility>({ access: AccessSchema, effect: VisibleEffectSchema })
    .nullable(),
  policy: objectOf<Explanation["policy"]>({
    name: z.string(),
    digest: z.string(),
    mode: z.string(),
  }),
  groups: z.array(z.string()),
  space: objectOf<Explanation["space"]>({
    name: z.string(),
    canEnter: z.boolean(),
    hasTool: z.boolean(),
    toolIsIn: z.array(z.string()),
    countedIn: z.array(z.string()),
  }),
  rules: z.array(RuleTraceSchema),
  obligations: objectOf<Explanation["obligations"]>({
    approvals: z.array(ApprovalDemandSchema),
    redact: OutputSchema.shape.redact.unwrap(),
    resultBytesMax: z.number().nullable(),
    outputSchema: OutputSchema.shape.schema.unwrap(),
    limits: z.array(LimitRuleSchema),
    untrusted: z.boolean(),
    priceUsd: z.number(),
  }),
});
