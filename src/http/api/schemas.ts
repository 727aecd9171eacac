import { z } from "zod";
import { EXPORT_FORMATS } from "../../audit/export/export_audit.ts";
import { AUDIT_KINDS } from "../../model/event.ts";
import { findNonFinite } from "../../model/json/json_numbers.ts";
import { listSchema } from "../../model/list_schema.ts";
import { SHOWN_EFFECTS } from "../../model/verdict.ts";
import type { ExplainRequest } from "../../operations/policy.ts";

/** Of groups, scopes or spaces in one request. */
const NAMES_MAX = 1_000;

const ExplainBodySchema = z.strictObject({
  /** Who calls; unknown keys are claims. */
  as: z.looseObject({
    sub: z.string().optional(),
    client: z.string().optional(),
    groups: listSchema(z.string(), NAMES_MAX).optional(),
    scopes: listSchema(z.string(), NAMES_MAX).optional(),
    spaces: listSchema(z.string(), NAMES_MAX).optional(),
    // What was parsed from JSON is JSON; to check each value again takes seconds for a large one.
    claims: z.record(z.string(), z.unknown()).optional(),
  }).default({}).transform(({ sub, client, groups, scopes, spaces, claims, ...others }) => ({
    ...(sub === undefined ? {} : { sub }),
    ...(client === undefined ? {} : { client }),
    ...(groups === undefined ? {} : { groups }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(spaces === undefined ? {} : { spaces }),
    claims: { ...others, ...claims } as { [claim: string]: z.core.util.JSONType },
  })),
  call: z.string().min(1),
  args: z.record(z.string(), z.unknown()).default({}).superRefine((args, context) => {
    const place = findNonFinite(args, "args");
    if (place === null) return;
    context.addIssue({ code: "custom", message: `has a number that is not finite: ${place}` });
  }),
  exec: z.strictObject({
    tainted: z.boolean().default(false),
    sources: listSchema(z.string(), NAMES_MAX).default([]),
  }).default({ tainted: false, sources: [] }),
  space: z.string().optional(),
  /** Who vouches for the principal, as records have it (`actor.iss`): counters are kept by it. */
  issuer: z.string().optional(),
  /** The execution whose own limits count. */
  execution: z.string().optional(),
});

/** What people write by hand, which only the service checks. */
interface ExplainInput extends Omit<z.input<typeof ExplainBodySchema>, "as" | "args" | "exec"> {
  readonly as?: unknown;
  readonly args?: unknown;
  readonly exec?: unknown;
}

/** Body of `POST /policy/explain`. */
export const ExplainRequestSchema: z.ZodType<ExplainRequest, ExplainInput> = ExplainBodySchema;

/** Body of `POST /tools/{name}/approve` and `…/block`. */
export const PinBodySchema = z.strictObject({
  /** `pin` of `GET /tools/{name}/diff`: the definition that was looked at. */
  pin: z.string("name the pin of the definition that you looked at").min(1).max(200),
});

/** Body of `POST /keys`. */
export const KeyRequestSchema = z.strictObject({
  name: z.string(),
  groups: listSchema(z.string(), NAMES_MAX).optional(),
  scopes: listSchema(z.string(), NAMES_MAX).optional(),
  spaces: listSchema(z.string(), NAMES_MAX).nullable().optional(),
  expiresInMs: z.number().nullable().optional(),
});

/** Query of everything that reads audit records; a filter that is not known would select too much. */
export const FilterSchema = z.strictObject({
  since: z.coerce.number<number>().optional(),
  until: z.coerce.number<number>().optional(),
  principal: z.string().optional(),
  tool: z.string().optional(),
  execution: z.string().optional(),
  effect: z.enum(SHOWN_EFFECTS).optional(),
  kind: z.enum(AUDIT_KINDS).optional(),
  limit: z.coerce.number<number>().int().min(1).max(100_000).optional(),
  after: z.string().optional(),
});

/** Query of an export: its records are never all in memory, so that there may be many. */
export const ExportQuerySchema = FilterSchema.extend({
  format: z.enum(EXPORT_FORMATS).default("jsonl"),
  limit: z.coerce.number<number>().int().min(1).max(10_000_000).optional(),
});
