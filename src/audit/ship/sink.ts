import type { AuditRecord } from "../../model/event.ts";
import type { ExportFormat } from "../export/export_audit.ts";

/** Consecutive records of one chain for a sink. */
export interface ShipBatch {
  readonly chain: string;
  readonly records: readonly AuditRecord[];
  readonly format: ExportFormat;
  /** The same records as lines of the format; empty for a format without lines. */
  readonly lines: readonly string[];
  /** The sink refused the record whole, so the batch holds it without its texts. */
  readonly isReduced: boolean;
}

/** A destination of audit records. */
export interface Sink {
  /**
   * Resolves once the sink has taken the batch; the sink may get a batch twice.
   *
   * @throws {RefusedError} if the sink refuses the batch; it may still take a part of the batch.
   */
  deliver(batch: ShipBatch, signal: AbortSignal): Promise<void>;
}

/** The sink works but refuses this batch, for its size or for a record in it. */
export class RefusedError extends Error {
  override readonly name: string = "RefusedError";
}

/** The sink says that the batch is too large. */
export class TooLargeError extends RefusedError {
  override readonly name = "TooLargeError";
}

/** Numbers of the first and last record of a batch. */
export function rangeOf(batch: ShipBatch): { first: number; last: number } {
  return { first: batch.records[0]?.seq ?? 0, last: batch.records.at(-1)?.seq ?? 0 };
}
