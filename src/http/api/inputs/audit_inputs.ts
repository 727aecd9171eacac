import { z } from "zod";
import { EXPORT_FORMATS } from "../../../audit/export/export_audit.ts";
import { AUDIT_KINDS } from "../../../model/event.ts";
import { SHOWN_EFFECTS } from "../../../model/verdict.ts";

/**
 * Query of every route that reads audit records. Strict: an ignored filter would select too much.
 */
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

/** Query of an export. It may have many records, because they are never all in memory. */
export const ExportQuerySchema = FilterSchema.extend({
  format: z.enum(EXPORT_FORMATS).default("jsonl"),
  limit: z.coerce.number<number>().int().min(1).max(10_000_000).optional(),
});

/** Query of `GET /audit/calls`. */
export const CallQuerySchema = FilterSchema.omit({ kind: true, after: true, limit: true }).extend({
  /** A condition on the arguments, like a policy's `when`: `args.amount > 100`. */
  where: z.string().min(1).max(500).optional(),
  limit: z.coerce.number<number>().int().min(1).max(1_000).default(100),
});
