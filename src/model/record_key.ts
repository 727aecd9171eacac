import type { AuditRecord } from "./event.ts";

/** The name of one record of the audit log: `<chain>#<seq>`. */
export function recordKey(record: Pick<AuditRecord, "chain" | "seq">): string {
  return `${record.chain}#${record.seq}`;
}
