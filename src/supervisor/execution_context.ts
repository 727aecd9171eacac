import type { Context } from "@opentelemetry/api";
import type { GateError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { Principal } from "../model/principal.ts";
import type { Origin } from "./event_origin.ts";

/**
 * What the gate knows about the run that a call belongs to.
 *
 * Made by the supervisor; nothing in it comes from the program. Only what the calls leave behind changes.
 */
export interface ExecutionContext {
  /** UUID version 7; with the call's index it makes the idempotency key. */
  readonly id: string;
  readonly principal: Principal;
  readonly space: string;
  /** Client's task id from `_meta`, if it sent one. */
  readonly task: string | null;
  /** W3C `traceparent`, if the client sent one. */
  readonly traceparent: string | null;
  /** The program whose calls these are; null for a call outside of one. */
  readonly program: {
    /** By the gate's own clock, milliseconds. */
    readonly startedAt: number;
    /** Call id to milliseconds since the start, for outcomes that the program is about to hear of. */
    readonly heardAtMs: Map<string, number>;
  } | null;
  /** The span that calls are children of; null outside an execution. */
  readonly span: Context | null;
  readonly limits: Limits;
  /** Writes are recorded and answered with a placeholder instead of being made. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** What the program has seen so far. */
  readonly taint: { tainted: boolean; readonly sources: Set<string> };
  /**
   * Outcomes on their way into the audit log. A program need not wait for them call by call; whoever
   * answers for the execution does, before anything of it is returned.
   */
  readonly recorded: Promise<unknown>[];
  /** Why the start of the execution could not be recorded: then it makes no calls. Null if it was, or may be. */
  readonly start: { refused: GateError | null };
  /** Calls that the upstream may have heard of and whose outcome is not known yet, by index. */
  readonly sent: Map<number, { readonly tool: string; readonly since: number }>;
  /** Writes a dry run would have made. */
  readonly planned: { readonly tool: string; readonly args: unknown }[];
}

/** The context of a new run: of a program, or of a call outside of one. */
export function newContext(
  { id, request, limits, span, startedAt }: {
    readonly id: string;
    readonly request: Origin & { readonly dryRun?: boolean; readonly signal: AbortSignal };
    readonly limits: Limits;
    readonly span: Context | null;
    /** When the program started; null for a call outside of one. */
    readonly startedAt: number | null;
  },
): ExecutionContext {
  return {
    id,
    principal: request.principal,
    space: request.space,
    task: request.task,
    traceparent: request.traceparent,
    program: startedAt === null ? null : { startedAt, heardAtMs: new Map() },
    span,
    limits,
    dryRun: request.dryRun ?? false,
    signal: request.signal,
    taint: { tainted: false, sources: new Set() },
    recorded: [],
    start: { refused: null },
    sent: new Map(),
    planned: [],
  };
}
