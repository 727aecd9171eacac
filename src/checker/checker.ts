import type { Log } from "../model/log.ts";
import { sha256Hex } from "../model/sha256.ts";
import { withinDeadline } from "../model/time/deadline.ts";
import {
  type CheckerChild,
  type ChildAnswer,
  type ChildCommand,
  startCheckerChild,
} from "./checker_child.ts";
import { type CheckFinding, type CheckRequest, REQUEST_BYTES_MAX } from "./protocol.ts";

export interface CheckerReport {
  readonly status: "checked" | "unchecked";
  /** Why the program was not checked. */
  readonly reason: string | null;
  /** Findings with places in the caller's own code. */
  readonly findings: readonly CheckFinding[];
  /** Milliseconds from the call to the answer, including waiting. */
  readonly ms: number;
}

/** Compares programs with the declarations of their tools before the programs run. */
export interface Checker {
  /**
   * Never throws: a program that cannot be checked gets the status `unchecked`, with the reason.
   *
   * @param declaredOnly the declarations without types inferred from results, if they differ.
   * Findings then say which of them depend on the inferred types.
   */
  check(code: string, declarations: string, declaredOnly?: string): Promise<CheckerReport>;
  close(): Promise<void>;
}

export interface CheckerOptions {
  readonly command: () => ChildCommand;
  /** Milliseconds for one check, without waiting for its turn. Default 2,000. */
  readonly timeBudgetMs?: number;
  readonly log: Log;
}

const TIME_BUDGET_MS = 2_000;
const START_MS_MAX = 10_000;
const WAITING_MAX = 64;
/** After this many checks a new process replaces the old one, which frees its memory. */
const CHECKS_PER_CHILD_MAX = 2_000;
const IDLE_MS_MAX = 900_000;
/** Programs whose check took too long; for a while the checker does not check them again. */
const STOPPED_MAX = 200;
const STOPPED_MS_MAX = 600_000;

/**
 * Opens the checker. Its process starts with the first check and stays warm.
 *
 * Checks run one after another: two at once would not be faster in one process, and a second
 * process needs 150 MB. A check that waits longer than its own time budget is given up.
 */
export function openChecker(options: CheckerOptions): Checker {
  const budgetMs = options.timeBudgetMs ?? TIME_BUDGET_MS;
  const lane = createLane();
  const stopped = createStoppedPrograms();
  const children = createChildren(options);
  let isClosed = false;

  const checkNow = async (program: Omit<CheckRequest, "budgetMs">): Promise<Outcome> => {
    const child = await children.take();
    if (isClosed) return unchecked(REASONS.closed);
    if (child === null) return unchecked(REASONS.noStart);
    const answer = await withinDeadline(child.check({ ...program, budgetMs }), budgetMs);
    if (answer === null) stopped.add(program.code, program.declarations);
    if (answer === null || answer.kind !== "findings") children.replace();
    return outcomeOf(answer, budgetMs);
  };

  return {
    async check(code, declarations, declaredOnly) {
      const start = performance.now();
      const chars = code.length + declarations.length + (declaredOnly?.length ?? 0);
      const program = {
        code,
        declarations,
        ...(declaredOnly === undefined ? {} : { declaredOnly }),
      };
      const outcome = isClosed
        ? unchecked(REASONS.closed)
        : chars * 3 > REQUEST_BYTES_MAX
        ? unchecked(REASONS.size)
        : stopped.has(code, declarations)
        ? unchecked(REASONS.stoppedBefore)
        : await lane.run(budgetMs, () => checkNow(program)) ?? unchecked(REASONS.busy);
      return { ...outcome, ms: Math.round(performance.now() - start) };
    },
    async close() {
      isClosed = true;
      await children.close();
    },
  };
}

type Outcome = Omit<CheckerReport, "ms">;

const REASONS = {
  closed: "The checker is closed",
  noStart: "The checker did not start; the program ran unchecked",
  size: "The program and its declarations are too long to check; the program ran unchecked",
  busy: "The checker is busy with other programs; the program ran unchecked",
  nesting: "The program is nested too deeply to check; it ran unchecked",
  stoppedBefore: "An earlier check of this program took too long; it ran unchecked",
  internal: "The checker failed on this program; it ran unchecked",
  lost: "The check ran out of memory or crashed; the program ran unchecked",
} as const;

function unchecked(reason: string): Outcome {
  return { status: "unchecked", reason, findings: [] };
}

function outcomeOf(answer: ChildAnswer | null, budgetMs: number): Outcome {
  if (answer === null) {
    const seconds = budgetMs / 1_000;
    return unchecked(
      `The check took longer than ${seconds} s and was stopped; the program ran unchecked`,
    );
  }
  switch (answer.kind) {
    case "findings":
      return { status: "checked", reason: null, findings: answer.findings };
    case "failed":
      return unchecked(REASONS[answer.failure]);
    case "lost":
      return unchecked(REASONS.lost);
  }
}

/** Runs one task at a time, in order; each task waits at most its own limit. */
function createLane() {
  const waiting = new Set<() => void>();
  let isTaken = false;

  const turn = (waitMs: number): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => {
      waiting.delete(take);
      resolve(false);
    }, waitMs);
    const take = () => {
      clearTimeout(timer);
      resolve(true);
    };
    waiting.add(take);
    return promise;
  };
  const handOn = () => {
    const [next] = waiting;
    if (next === undefined) isTaken = false;
    else {
      waiting.delete(next);
      next();
    }
  };
  return {
    /** @returns null if too many tasks wait, or if this task had no turn within `waitMs`. */
    async run<T>(waitMs: number, work: () => Promise<T>): Promise<T | null> {
      if (isTaken) {
        if (waiting.size >= WAITING_MAX || !await turn(waitMs)) return null;
      }
      isTaken = true;
      return await work().finally(handOn);
    },
  };
}

function createStoppedPrograms() {
  const until = new Map<string, number>();
  return {
    has(code: string, declarations: string): boolean {
      if (until.size === 0) return false;
      return (until.get(digestOf(code, declarations)) ?? 0) > Date.now();
    },
    add(code: string, declarations: string): void {
      until.set(digestOf(code, declarations), Date.now() + STOPPED_MS_MAX);
      const [oldest] = until.keys();
      if (until.size > STOPPED_MAX && oldest !== undefined) until.delete(oldest);
    },
  };
}

function digestOf(code: string, declarations: string): string {
  return sha256Hex(`${code.length} ${code}${declarations}`);
}

/** Keeps one process: starts it when needed, replaces it, and ends it after a long idle time. */
function createChildren(options: CheckerOptions) {
  const ending = new Set<Promise<void>>();
  let child: CheckerChild | null = null;
  let checks = 0;
  let idleTimer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  // When the checker closes, a process that is still starting is ended; that is not a failure.
  const log: Log = (...entry) => isClosed ? undefined : options.log(...entry);

  const start = (): CheckerChild | null => {
    checks = 0;
    try {
      return startCheckerChild(options.command(), log);
    } catch (error) {
      options.log("error", "Cannot start the checker", { error: String(error) });
      return null;
    }
  };
  const end = () => {
    clearTimeout(idleTimer);
    if (child === null) return;
    const ended = child.end().finally(() => ending.delete(ended));
    ending.add(ended);
    child = null;
  };
  const rest = () => {
    clearTimeout(idleTimer);
    idleTimer = setTimeout(end, IDLE_MS_MAX);
    Deno.unrefTimer(idleTimer);
  };
  const replace = () => {
    end();
    if (!isClosed) child = start();
  };
  return {
    /** The warm process; null if no process starts in time. */
    async take(): Promise<CheckerChild | null> {
      if (isClosed) return null;
      if (child === null || child.isLost() || checks >= CHECKS_PER_CHILD_MAX) replace();
      checks++;
      rest();
      const taken = child;
      if (taken === null) return null;
      if (await withinDeadline(taken.ready, START_MS_MAX) === true) return taken;
      end();
      return null;
    },
    replace,
    async close(): Promise<void> {
      isClosed = true;
      end();
      await Promise.all(ending);
    },
  };
}
