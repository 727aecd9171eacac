/** Reads the audit log without payloads. Other files open them and record that. */
import type { AuditLog } from "../audit/audit_log.ts";
import { type AuditFilter, type AuditPage, recordMatcher } from "../audit/audit_query.ts";
import { GateError } from "../model/errors.ts";
import type { AuditRecord } from "../model/event.ts";

export interface FindRecordsDeps {
  readonly audit: Pick<AuditLog, "query">;
}

/**
 * One page of records, newest first.
 *
 * @throws {GateError} `ERR_BAD_REQUEST` if `after` is not a place in the log.
 */
export async function findRecords(deps: FindRecordsDeps, filter: AuditFilter): Promise<AuditPage> {
  try {
    return await deps.audit.query(filter);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new GateError("ERR_BAD_REQUEST", `Cannot read the audit log: ${error.message}`, {
      hint: 'Pass "next" of the page before as "after", unchanged',
      cause: error,
    });
  }
}

export interface ShownRecords {
  readonly id: string;
  /** Oldest first. */
  readonly records: readonly AuditRecord[];
}

const RECORDS_OF_EXECUTION_MAX = 10_000;

/**
 * The records of one execution, or of one call of it, without payloads.
 *
 * @param id an execution, or `<execution>:<index>` for a call.
 * @throws {GateError} `ERR_NOT_FOUND`
 */
export async function showRecords(deps: FindRecordsDeps, id: string): Promise<ShownRecords> {
  const [execution = "", index] = id.split(":");
  const { records } = await deps.audit.query({ execution, limit: RECORDS_OF_EXECUTION_MAX });
  const wanted = index === undefined ? records : records.filter((record) => record.call === id);
  if (wanted.length > 0) return { id, records: wanted.toReversed() };
  throw new GateError(
    "ERR_NOT_FOUND",
    `The audit log has no execution or call "${id.slice(0, 100)}"`,
    { hint: 'See "toolgate audit list"' },
  );
}

export interface StreamRecordsDeps {
  readonly audit: Pick<AuditLog, "follow">;
  /** Aborts when the service drains: streams would otherwise hold it open. */
  readonly closing: AbortSignal;
}

/** Unread records that a stream may hold; one more ends the stream. */
const UNREAD_MAX = 10_000;

/** Streams new matching records as JSON lines, until the reader or the service stops. */
export function streamRecords(
  deps: StreamRecordsDeps,
  filter: AuditFilter,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const text = new TextEncoder();
  const matches = recordMatcher(filter);
  const ended = AbortSignal.any([signal, deps.closing]);
  let stop = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      stop = deps.audit.follow((record) => {
        if (!matches(record)) return;
        // End the stream of a slow reader, so that unread records do not fill the memory.
        if ((controller.desiredSize ?? 0) < -UNREAD_MAX) {
          return controller.error(new Error("Too slow"));
        }
        controller.enqueue(text.encode(`${JSON.stringify(record)}\n`));
      });
      ended.addEventListener("abort", () => {
        stop();
        try {
          controller.close();
        } catch {
          // The reader has already closed the stream.
        }
      }, { once: true });
    },
    cancel: () => stop(),
  });
}
