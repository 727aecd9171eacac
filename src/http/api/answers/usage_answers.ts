import { z } from "zod";
import type { Recorded } from "../../../operations/reports.ts";
import type { UsageAnswer } from "../../../operations/usage.ts";
import { USAGE_BY, type UsageFigures } from "../../../usage/usage_row.ts";
import { objectOf } from "./object_of.ts";

const UsageFiguresSchema = objectOf<UsageFigures>({
  key: z.string(),
  executions: z.int(),
  searches: z.int(),
  calls: z.int(),
  refused: z.int(),
  failed: z.int(),
  successfulWrites: z.int(),
  tasks: z.int(),
  tasksBy: objectOf<UsageFigures["tasksBy"]>({
    task: z.int(),
    trace: z.int(),
    session: z.int(),
    gap: z.int(),
  }),
  completedTasks: z.int(),
  completedReported: z.int(),
  failedReported: z.int(),
  completedInferred: z.int(),
  firstTrySuccess: z.number().nullable(),
  firstTrySuccessMultiHop: z.number().nullable(),
  finishMsP50: z.number().nullable(),
  finishMsP95: z.number().nullable(),
  activeMsP50: z.number().nullable(),
  activeMsP95: z.number().nullable(),
  callMsP50: z.number().nullable(),
  callMsP95: z.number().nullable(),
  toolUsd: z.number(),
  modelUsd: z.number().nullable(),
  costUsd: z.number(),
  costPerSuccessUsd: z.number().nullable(),
  tokensDefinitions: z.number(),
  tokensCode: z.number(),
  tokensReturned: z.number(),
  tokensPerCompletedTask: z.number().nullable(),
  tokensKeptOut: z.number(),
  classicUsdEstimate: z.number(),
  modelInputTokens: z.number().nullable(),
  modelOutputTokens: z.number().nullable(),
});

/** Answer of `GET /usage`. */
export const UsageAnswerSchema = objectOf<UsageAnswer>({
  by: z.enum(USAGE_BY),
  since: z.number(),
  until: z.number(),
  usdPerMillionTokens: z.number(),
  total: UsageFiguresSchema,
  rows: z.array(UsageFiguresSchema),
  days: z.array(UsageFiguresSchema),
  tasksAreCut: z.boolean(),
});

/** Answer of `POST /usage` and `POST /feedback`: the place of the report in the audit log. */
export const RecordedSchema = objectOf<Recorded>({ chain: z.string(), seq: z.int() });
