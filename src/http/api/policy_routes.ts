import {
  checkPolicy,
  explainCall,
  reloadPolicy,
  showPolicy,
  testPolicy,
} from "../../operations/policy.ts";
import { json } from "./answer.ts";
import {
  ExplanationSchema,
  PolicyCheckSchema,
  PolicyInForceSchema,
  PolicyStatusSchema,
  PolicyTestReportSchema,
} from "./answers/policy_answers.ts";
import { route } from "./route.ts";
import { ExplainRequestSchema } from "./inputs/policy_inputs.ts";

/** Routes for the policy in force and its current files. */
export const POLICY_ROUTES = [
  route("GET /policy", {
    scope: "admin",
    summary: "The policy in force",
    answer: json(PolicyInForceSchema),
    handle: (deps) => showPolicy(deps),
  }),
  route("POST /policy/check", {
    scope: "admin",
    summary: "Problems of the policy files",
    answer: json(PolicyCheckSchema),
    handle: (deps) => checkPolicy(deps),
  }),
  route("POST /policy/reload", {
    scope: "admin",
    summary: "Read the configured policy again and activate it",
    answer: json(PolicyStatusSchema),
    handle: (deps) => reloadPolicy(deps),
  }),
  route("POST /policy/test", {
    scope: "admin",
    summary: "Run the policy's tests",
    answer: json(PolicyTestReportSchema),
    handle: (deps) => testPolicy(deps),
  }),
  route("POST /policy/explain", {
    scope: "admin",
    summary: "Explain one decision",
    body: ExplainRequestSchema,
    answer: json(ExplanationSchema),
    handle: (deps, { body }) => explainCall(deps, body),
  }),
] as const;
