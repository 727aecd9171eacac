import type { AuditRecord } from "./event.ts";

/** What names one record of the audit log: `<chain>#<seq>`. */
export function recordKey(record: Pick<AuditRecord, "chain" | "seq">): string {
  return `${record.chain}#${record.seq}`;
}
