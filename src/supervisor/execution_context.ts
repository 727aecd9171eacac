import type { Context } from "@opentelemetry/api";
import type { GateError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { Principal } from "../model/principal.ts";
import type { Origin } from "./event_origin.ts";

/**
 * The gate's knowledge of the execution that a call belongs to.
 *
 * The supervisor makes it; nothing in it comes from the program. Calls change only the collections,
 * the taint and `start`.
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
  /** The program that makes the calls; null for a call outside a program. */
  readonly program: {
    /** By the gate's own clock, milliseconds. */
    readonly startedAt: number;
    /** Call index → milliseconds since the start at which the program gets the outcome. */
    readonly heardAtMs: Map<string, number>;
  } | null;
  /** The parent span of the calls; null outside an execution. */
  readonly span: Context | null;
  readonly limits: Limits;
  /** Records writes and answers them with a placeholder instead of sending them. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** The servers whose results the program has seen, and whether one was untrusted. */
  readonly taint: { tainted: boolean; readonly sources: Set<string> };
  /**
   * Outcomes on their way into the audit log. A program does not wait for them call by call; the
   * end of the execution waits for all of them before it returns the result.
   */
  readonly recorded: Promise<unknown>[];
  /**
   * Why the log refused the record of the start: no call is made then. Null if recorded or pending.
   */
  readonly start: { refused: GateError | null };
  /** Calls sent to the upstream that have no outcome yet, by index. */
  readonly sent: Map<number, { readonly tool: string; readonly since: number }>;
  /** Writes that the dry run did not make. */
  readonly planned: { readonly tool: string; readonly args: unknown }[];
}

/** The context of a new execution: a program, or a single call outside a program. */
export function newContext(
  { id, request, limits, span, startedAt }: {
    readonly id: string;
    readonly request: Origin & { readonly dryRun?: boolean; readonly signal: AbortSignal };
    readonly limits: Limits;
    readonly span: Context | null;
    /** When the program started; null for a call outside a program. */
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
