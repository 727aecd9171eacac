import { z } from "zod";
import type { SinkStatus } from "../../../audit/ship/ship_line.ts";
import { LimitsSchema } from "../../../config/schema.ts";
import type { ClockStatus } from "../../../model/time/service_clock.ts";
import type { AttackReport } from "../../../operations/attack.ts";
import type { KernelReport } from "../../../rpc/protocol.ts";
import type { AttackRow } from "../../../sandbox/attack/attack.ts";
import type { SandboxStatus } from "../../../sandbox/pool/sandbox_pool.ts";
import type { HealthReport } from "../../health.ts";
import type { EdgeStatus } from "../../server/edge.ts";
import type { StrayErrorStatus } from "../../server/stray_errors.ts";
import { ServerStateSchema } from "./catalog_answers.ts";
import { objectOf } from "./object_of.ts";
import { PolicyStatusSchema } from "./policy_answers.ts";

const KernelReportSchema = objectOf<KernelReport>({
  seccomp: z.boolean(),
  landlock: z.int(),
  rlimits: z.boolean(),
  missing: z.array(z.string()),
});

const RunningSandboxSchema = objectOf<{ readonly ok: true } & SandboxStatus>({
  ok: z.literal(true),
  isolation: z.enum(["process", "worker", "realm"]),
  kernel: KernelReportSchema.nullable(),
  hosts: objectOf<SandboxStatus["hosts"]>({
    starting: z.int(),
    ready: z.int(),
    busy: z.int(),
  }),
  queued: z.int(),
  running: z.int(),
});

const BrokenSandboxSchema = objectOf<{ readonly ok: false; readonly reason: string }>({
  ok: z.literal(false),
  reason: z.string(),
});

const ClockStatusSchema = objectOf<ClockStatus>({
  aheadMs: z.number(),
  jumps: z.int(),
  lastJump: objectOf<NonNullable<ClockStatus["lastJump"]>>({
    at: z.string(),
    byMs: z.number(),
  }).nullable(),
});

const SinkStatusSchema = objectOf<SinkStatus>({
  sink: z.string(),
  to: z.string(),
  format: z.string(),
  error: z.string().nullable(),
  failures: z.int(),
  behind: z.int(),
  oldestSeconds: z.number().nullable(),
  reduced: z.int(),
  passedOver: z.int(),
  isLate: z.boolean(),
});

/** Answer of `GET /health`. */
export const HealthReportSchema = objectOf<HealthReport>({
  ready: z.boolean(),
  reason: z.string().optional(),
  version: z.string(),
  instance: z.string(),
  audit: objectOf<HealthReport["audit"]>({ ok: z.boolean(), reason: z.string().nullable() }),
  shipping: z.array(SinkStatusSchema),
  alarms: z.array(z.string()),
  store: objectOf<HealthReport["store"]>({
    kind: z.enum(["memory", "kv", "postgres"]),
    ok: z.boolean(),
    reason: z.string().optional(),
  }),
  strayErrors: objectOf<StrayErrorStatus>({
    count: z.int(),
    lastAt: z.string().nullable(),
  }),
  clock: ClockStatusSchema,
  sandbox: z.union([RunningSandboxSchema, BrokenSandboxSchema]),
  policy: PolicyStatusSchema,
  servers: z.array(ServerStateSchema),
  edge: objectOf<EdgeStatus>({
    connections: z.int(),
    connectionsMax: z.int(),
    descriptorsMax: z.int(),
  }).nullable(),
  quarantined: z.int(),
  limits: LimitsSchema,
  now: z.string(),
});

/** Answer of `POST /attack`. */
export const AttackReportSchema = objectOf<AttackReport>({
  ok: z.boolean(),
  isolation: z.string(),
  attacks: z.array(objectOf<AttackRow>({
    name: z.string(),
    expected: z.string(),
    got: z.string(),
    ok: z.boolean(),
    ms: z.number(),
  })),
});
