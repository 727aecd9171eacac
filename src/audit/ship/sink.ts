import type { AuditRecord } from "../../model/event.ts";
import type { ExportFormat } from "../export/export_audit.ts";

/** Consecutive records of one chain, on their way to a sink. */
export interface ShipBatch {
  readonly chain: string;
  readonly records: readonly AuditRecord[];
  readonly format: ExportFormat;
  /** The same records as lines of the format; empty for a format without lines. */
  readonly lines: readonly string[];
  /** Its record is too large for the place: it goes without its texts. */
  readonly isReduced: boolean;
}

/** A place that audit records are shipped to. */
export interface Sink {
  /**
   * Resolves once the place has taken the batch; a batch may come twice.
   *
   * @throws {RefusedError} if the place does not take what is in the batch, and perhaps a part of it.
   */
  deliver(batch: ShipBatch, signal: AbortSignal): Promise<void>;
}

/** The place works and does not take this batch: it is too large, or a record in it is not to its liking. */
export class RefusedError extends Error {
  override readonly name: string = "RefusedError";
}

/** The place says that the batch is too large for it. */
export class TooLargeError extends RefusedError {
  override readonly name = "TooLargeError";
}

/** Numbers of the first and last record of a batch. */
export function rangeOf(batch: ShipBatch): { first: number; last: number } {
  return { first: batch.records[0]?.seq ?? 0, last: batch.records.at(-1)?.seq ?? 0 };
}
