import { z } from "zod";
import type { ErrorCode } from "../../../model/errors.ts";
import type {
  CallSummary,
  ExecutionResult,
  LogLine,
  PreflightFinding,
  ProgramError,
} from "../../../model/execution.ts";
import type { SearchAnswer, SearchHit } from "../../../model/search.ts";
import { objectOf } from "./object_of.ts";
import { AccessSchema, EffectSchema, VisibleEffectSchema, wordOf } from "./words.ts";

const SearchHitSchema = objectOf<SearchHit>({
  name: z.string(),
  server: z.string(),
  title: z.string(),
  description: z.string(),
  access: AccessSchema,
  effect: VisibleEffectSchema,
  score: z.number(),
  signature: z.string().optional(),
});

/** Answer of `POST /search`. */
export const SearchAnswerSchema = objectOf<SearchAnswer>({
  hits: z.array(SearchHitSchema),
  total: z.int(),
  truncated: z.boolean(),
  declarations: z.string(),
});

const CallSummarySchema = objectOf<CallSummary>({
  tool: z.string(),
  effect: EffectSchema,
  status: z.string(),
  ms: z.number(),
});

const ProgramErrorSchema = objectOf<ProgramError>({
  code: wordOf<ErrorCode>(),
  name: z.string(),
  message: z.string(),
  hint: z.string(),
  line: z.int().optional(),
  column: z.int().optional(),
  stack: z.string().optional(),
});

/** Answer of `POST /execute`. */
export const ExecutionResultSchema = objectOf<ExecutionResult>({
  executionId: z.string(),
  status: z.enum(["ok", "error", "denied", "timeout", "cancelled", "approval_required"]),
  result: z.unknown().optional(),
  logs: z.array(objectOf<LogLine>({ level: z.string(), text: z.string() })),
  calls: z.array(CallSummarySchema),
  error: ProgramErrorSchema.optional(),
  approval: objectOf<NonNullable<ExecutionResult["approval"]>>({
    id: z.string(),
    summary: z.string(),
    url: z.string(),
    expiresAt: z.string(),
  }).optional(),
  handle: objectOf<NonNullable<ExecutionResult["handle"]>>({
    uri: z.string(),
    bytes: z.int(),
  }).optional(),
  recordPending: z.string().optional(),
  warnings: z.array(objectOf<PreflightFinding>({
    line: z.int(),
    column: z.int(),
    message: z.string(),
  })).optional(),
  planned: z.array(objectOf<NonNullable<ExecutionResult["planned"]>[number]>({
    tool: z.string(),
    args: z.unknown(),
  })).optional(),
  usage: objectOf<ExecutionResult["usage"]>({
    wallMs: z.number(),
    toolCalls: z.int(),
    bytesKeptOut: z.number(),
    tokensReturned: z.number(),
    tokensKeptOut: z.number(),
  }),
});
