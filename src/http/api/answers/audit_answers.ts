import { z } from "zod";
import type { AuditPage } from "../../../audit/audit_query.ts";
import type { AuditProblem, ChainReport, SeqRange } from "../../../audit/verify/audit_report.ts";
import type { AuditReport } from "../../../audit/verify/verify_audit.ts";
import { AUDIT_KINDS, type AuditActor, type AuditRecord } from "../../../model/event.ts";
import type { ShownRecords } from "../../../operations/audit.ts";
import type { CallAnswer, CallRow } from "../../../operations/read_calls.ts";
import type { Divergence } from "../../../supervisor/program/replay_script.ts";
import type { ReplayReport } from "../../../supervisor/program/replay.ts";
import { objectOf } from "./object_of.ts";
import { AccessSchema, DecidedEffectSchema, ShownEffectSchema } from "./words.ts";

type Part<Name extends keyof AuditRecord> = NonNullable<AuditRecord[Name]> & object;

export const AuditRecordSchema = objectOf<AuditRecord>({
  v: z.literal(1),
  chain: z.string(),
  seq: z.int(),
  ts: z.string(),
  prev: z.string(),
  kind: z.enum(AUDIT_KINDS),
  space: z.string().optional(),
  actor: objectOf<AuditActor>({
    sub: z.string(),
    iss: z.string(),
    client: z.string(),
    groups: z.array(z.string()),
    scopes: z.array(z.string()),
  }).optional(),
  task: z.string().optional(),
  trace: z.string().optional(),
  execution: z.string().optional(),
  call: z.string().optional(),
  code: objectOf<Part<"code">>({ sha256: z.string(), bytes: z.int() }).optional(),
  tool: objectOf<Part<"tool">>({
    server: z.string(),
    name: z.string(),
    access: AccessSchema.optional(),
    pin: z.string().optional(),
  }).optional(),
  decision: objectOf<Part<"decision">>({
    effect: DecidedEffectSchema,
    because: z.array(z.string()),
    bundle: z.string(),
    observed: DecidedEffectSchema.optional(),
  }).optional(),
  approval: z.string().optional(),
  args: objectOf<Part<"args">>({
    commit: z.string(),
    bytes: z.int(),
    redactions: z.int().optional(),
    cut: z.int().optional(),
  }).optional(),
  result: objectOf<Part<"result">>({
    status: z.string(),
    commit: z.string().optional(),
    bytes: z.int().optional(),
    tokensKeptOut: z.number().optional(),
  }).optional(),
  upstream: objectOf<Part<"upstream">>({
    credential: z.string().optional(),
    requestId: z.string().optional(),
    idempotencyKey: z.string().optional(),
  }).optional(),
  ms: objectOf<Part<"ms">>({
    total: z.number().optional(),
    policy: z.number().optional(),
    waitHuman: z.number().optional(),
    upstream: z.number().optional(),
    at: z.number().optional(),
  }).optional(),
  cost: z.number().optional(),
  err: objectOf<Part<"err">>({
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
  }).optional(),
  detail: z.record(z.string(), z.unknown()).optional(),
});

/** Answer of `GET /audit`. */
export const RecordPageSchema = objectOf<AuditPage>({
  records: z.array(AuditRecordSchema),
  next: z.string().optional(),
});

/** Answer of `GET /audit/:id`. */
export const ShownRecordsSchema = objectOf<ShownRecords>({
  id: z.string(),
  records: z.array(AuditRecordSchema),
});

/** Answer of `GET /audit/calls`. */
export const CallAnswerSchema = objectOf<CallAnswer>({
  calls: z.array(objectOf<CallRow>({
    call: z.string(),
    ts: z.string(),
    principal: z.string(),
    client: z.string(),
    space: z.string(),
    tool: z.string(),
    effect: ShownEffectSchema,
    decision: DecidedEffectSchema.nullable(),
    because: z.array(z.string()),
    reasons: z.string(),
    status: z.string(),
    args: z.string().nullable(),
    result: z.string().nullable(),
    error: objectOf<NonNullable<CallRow["error"]>>({
      code: z.string(),
      message: z.string(),
    }).nullable(),
    cost: z.number(),
    ms: z.number().nullable(),
  })),
  examined: z.int(),
  withoutArguments: z.int(),
  more: z.boolean(),
});

const SeqRangeSchema: z.ZodType<SeqRange> = z.tuple([z.int(), z.int()]);

const AuditProblemSchema = objectOf<AuditProblem>({
  kind: z.enum([
    ...["malformed", "edited", "missing", "reordered", "forged", "truncated"] as const,
    ...["unsigned", "outcome", "payload", "index", "tampered"] as const,
  ]),
  chain: z.string(),
  seq: z.int().nullable(),
  message: z.string(),
});

/** Answer of `POST /audit/verify`. */
export const AuditReportSchema = objectOf<AuditReport>({
  ok: z.boolean(),
  records: z.int(),
  chains: z.array(objectOf<ChainReport>({
    chain: z.string(),
    records: z.int(),
    first: z.int().nullable(),
    last: z.int().nullable(),
    anchored: SeqRangeSchema.nullable(),
    unanchored: SeqRangeSchema.nullable(),
    unsigned: SeqRangeSchema.nullable(),
    open: z.array(z.string()),
    problems: z.array(AuditProblemSchema),
    problemCount: z.int(),
  })),
  firstBad: AuditProblemSchema.nullable(),
});

/** Answer of `POST /audit/replay/:execution`. */
export const ReplayReportSchema = objectOf<ReplayReport>({
  execution: z.string(),
  verdict: z.enum(["identical", "diverged"]),
  divergence: objectOf<Divergence>({
    call: z.int().nullable(),
    what: z.enum([
      ...["not recorded", "not made", "tool", "arguments", "status", "result", "error"] as const,
    ]),
    recorded: z.string().nullable(),
    replayed: z.string().nullable(),
  }).nullable(),
  code: objectOf<ReplayReport["code"]>({ sha256: z.string().nullable(), bytes: z.int() }),
  calls: objectOf<ReplayReport["calls"]>({ recorded: z.int(), matched: z.int() }),
  status: objectOf<ReplayReport["status"]>({ recorded: z.string(), replayed: z.string() }),
  seeded: z.boolean(),
  ms: z.number(),
});
