import { z } from "zod";
import { USAGE_BY } from "../../../usage/usage_row.ts";

/** Query of `GET /usage`; times are milliseconds since the epoch. */
export const UsageQuerySchema = z.strictObject({
  by: z.enum(USAGE_BY).default("principal"),
  since: z.coerce.number<number>().min(0).optional(),
  until: z.coerce.number<number>().min(0).optional(),
  format: z.enum(["json", "csv"]).default("json"),
});

const ABOUT = {
  /** The client's own id, as sent in `_meta["toolgate/task"]`. */
  task: z.string().min(1).max(200).optional(),
  execution: z.string().min(1).max(200).optional(),
};
const isAboutOne = (report: { task?: unknown; execution?: unknown }) =>
  (report.task === undefined) !== (report.execution === undefined);
const ABOUT_ERROR = { error: "needs either task or execution" };

/** Body of `POST /feedback`. */
export const FeedbackBodySchema = z.strictObject({
  ...ABOUT,
  success: z.boolean(),
  note: z.string().max(1_000).optional(),
}).refine(isAboutOne, ABOUT_ERROR);

/** The client's own id of a report, in the body or `Idempotency-Key`: a repeat counts once. */
export const ReportIdSchema = z.strictObject({ id: z.string().min(1).max(200) });

/** The same id as a header of `POST /usage`; an id in the body takes precedence. */
export const ReportHeadersSchema = z.object({
  "idempotency-key": ReportIdSchema.shape.id.optional(),
});

/** Body of `POST /usage`. */
export const ModelUsageBodySchema = z.strictObject({
  ...ABOUT,
  ...ReportIdSchema.partial().shape,
  model: z.string().min(1).max(200),
  inputTokens: z.int().min(0).max(1e12),
  outputTokens: z.int().min(0).max(1e12),
  /** US dollars. */
  usd: z.number().min(0).max(1e9).optional(),
}).refine(isAboutOne, ABOUT_ERROR);
