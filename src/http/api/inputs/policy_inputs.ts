import { z } from "zod";
import { findNonFinite } from "../../../model/json/json_numbers.ts";
import { listSchema } from "../../../model/list_schema.ts";
import type { ExplainRequest } from "../../../operations/policy.ts";
import { NAMES_MAX } from "./names_max.ts";

const ExplainBodySchema = z.strictObject({
  /** The caller; unknown keys are claims. */
  as: z.looseObject({
    sub: z.string().optional(),
    client: z.string().optional(),
    groups: listSchema(z.string(), NAMES_MAX).optional(),
    scopes: listSchema(z.string(), NAMES_MAX).optional(),
    spaces: listSchema(z.string(), NAMES_MAX).optional(),
    // The input comes from parsed JSON; checking a large one again would take seconds.
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
  /** Issuer of the principal, as in records (`actor.iss`): part of the key of counters. */
  issuer: z.string().optional(),
  /** The execution whose own limits apply. */
  execution: z.string().optional(),
});

/** Parts that people write by hand; only the service checks them. */
interface ExplainInput extends Omit<z.input<typeof ExplainBodySchema>, "as" | "args" | "exec"> {
  readonly as?: unknown;
  readonly args?: unknown;
  readonly exec?: unknown;
}

/** Body of `POST /policy/explain`. */
export const ExplainRequestSchema: z.ZodType<ExplainRequest, ExplainInput> = ExplainBodySchema;
