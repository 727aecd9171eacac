import type { AuditLog } from "../audit/audit_log.ts";
import type { Log } from "../model/log.ts";

/** What is known about the integrity of the log. */
export interface AuditVerifyState {
  /** When it was last checked, milliseconds since the epoch; null: never since the start. */
  readonly checkedAtMs: number | null;
  /** A check runs now. */
  readonly isChecking: boolean;
  readonly chains: readonly AuditChainState[];
  /** Whether new records can be written. */
  readonly writing: { readonly ok: boolean; readonly reason: string | null };
}

export interface AuditChainState {
  readonly chain: string;
  readonly records: number;
  /** Null: not checked yet. */
  readonly ok: boolean | null;
  /** Records that a checkpoint outside the store vouches for. */
  readonly anchored: number;
  /** Records that a signed checkpoint covers. */
  readonly signed: number;
  /** What is wrong, in words; empty when nothing is. */
  readonly problems: readonly string[];
}

/** Checks the whole log in the background and remembers what it found. */
export interface AuditChecker {
  readonly state: () => Promise<AuditVerifyState>;
  /** Does nothing while a check runs. */
  readonly start: () => void;
  readonly close: () => Promise<void>;
}

type AuditReport = Awaited<ReturnType<AuditLog["verify"]>>;
type ChainReport = AuditReport["chains"][number];

export interface AuditCheckerDeps {
  readonly audit: Pick<AuditLog, "verify" | "health">;
  readonly now: () => number;
  readonly log: Log;
}

export function createAuditChecker({ audit, now, log }: AuditCheckerDeps): AuditChecker {
  let running: Promise<void> | null = null;
  let found: { readonly report: AuditReport; readonly at: number } | null = null;
  const check = async () => {
    try {
      found = { report: await audit.verify(), at: now() };
    } catch (error) {
      log("error", "Cannot verify the audit log", { cause: `${error}` });
    } finally {
      running = null;
    }
  };
  return {
    state: () =>
      Promise.resolve({
        checkedAtMs: found?.at ?? null,
        isChecking: running !== null,
        chains: found?.report.chains.map(chainState) ?? [],
        writing: audit.health(),
      }),
    start() {
      running ??= check();
    },
    async close() {
      await running;
    },
  };
}

function chainState(report: ChainReport): AuditChainState {
  const { chain, records, anchored, unsigned, problems, problemCount } = report;
  return {
    chain,
    records,
    ok: problemCount === 0,
    anchored: lengthOf(anchored),
    signed: records - lengthOf(unsigned),
    problems: problems.map(({ seq, message }) =>
      seq === null ? message : `Record ${seq}: ${message}`
    ),
  };
}

/** Of a range from its first record to its last. */
function lengthOf(range: readonly [number, number] | null): number {
  return range === null ? 0 : range[1] - range[0] + 1;
}
