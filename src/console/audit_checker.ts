import type { AuditLog } from "../audit/audit_log.ts";
import type { Log } from "../model/log.ts";

/** The known state of the integrity of the log. */
export interface AuditVerifyState {
  /** Time of the last check, milliseconds since the epoch; null: never since the start. */
  readonly checkedAtMs: number | null;
  /** True while a check runs. */
  readonly isChecking: boolean;
  readonly chains: readonly AuditChainState[];
  /** Whether new records can be written. */
  readonly writing: { readonly ok: boolean; readonly reason: string | null };
}

export interface AuditChainState {
  readonly chain: string;
  readonly records: number;
  /** Null before the first check. */
  readonly ok: boolean | null;
  /** Records covered by a checkpoint outside the store. */
  readonly anchored: number;
  /** Records covered by a signed checkpoint. */
  readonly signed: number;
  /** Problems as sentences; empty if there are none. */
  readonly problems: readonly string[];
}

/** Checks the whole log in the background and keeps the result. */
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

/** The number of records in a range that includes both ends. */
function lengthOf(range: readonly [number, number] | null): number {
  return range === null ? 0 : range[1] - range[0] + 1;
}
