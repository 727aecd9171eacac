import type { AuditRecord } from "../../model/event.ts";
import { matchesCommits } from "../payloads/payload_box.ts";
import type { LastBox, PayloadStore } from "../payloads/payload_store.ts";

export interface PayloadChecker {
  check(record: AuditRecord): Promise<void>;
  finish(): void;
}

/** Payloads that expire within this time may be gone already. */
const EXPIRY_MARGIN_MS = 3_600_000;
const ABSENT_MAX = 100_000;

/**
 * Opens the payloads of records and compares them with the commits in the chain. Reports a missing
 * payload unless it expired, was erased with a record, or was never kept.
 */
export function createPayloadChecker(
  deps: {
    store: PayloadStore;
    retentionMs: number;
    now: () => number;
    report: (seq: number, message: string) => void;
  },
): PayloadChecker {
  const { store, report } = deps;
  const since = deps.now() - deps.retentionMs + EXPIRY_MARGIN_MS;
  const absent = new Set<number>();
  const last: LastBox = {};
  let isKept = true;

  return {
    async check(record) {
      if (record.kind === "admin") {
        const { type, payloads, seq } = record.detail ?? {};
        if (type === "audit.open") isKept = payloads !== "off";
        if (type === "audit.erase" && typeof seq === "number") absent.delete(seq);
      }
      const commits = record.args?.commit ?? record.result?.commit;
      if (commits === undefined && record.code === undefined) return;
      const found = await store.find(record, last);
      if (found.state === "damaged") {
        report(record.seq, `The payload of record ${record.seq} was changed: ${found.reason}`);
      } else if (found.state === "found" && !matchesCommits(record, found.payloads)) {
        report(record.seq, `The payload of record ${record.seq} is not what it commits to`);
      } else if (found.state === "absent" && commits !== undefined && isKept) {
        const excused = record.detail?.payload === "not kept" || Date.parse(record.ts) < since;
        if (!excused && absent.size < ABSENT_MAX) absent.add(record.seq);
      }
    },
    finish() {
      for (const seq of absent) report(seq, `The payload of record ${seq} is not there`);
    },
  };
}
