import type { AuditRecord } from "../model/event.ts";
import type { ExportFormat } from "./export_audit.ts";

/** Consecutive records of one chain, on their way to a sink. */
export interface ShipBatch {
  readonly chain: string;
  readonly records: readonly AuditRecord[];
  readonly format: ExportFormat;
}

/** A place that audit records are shipped to. */
export interface Sink {
  /** Resolves once the place has taken the batch; a batch may come twice. */
  deliver(batch: ShipBatch, signal: AbortSignal): Promise<void>;
}

/** Numbers of the first and last record of a batch. */
export function rangeOf(batch: ShipBatch): { first: number; last: number } {
  return { first: batch.records[0]?.seq ?? 0, last: batch.records.at(-1)?.seq ?? 0 };
}
