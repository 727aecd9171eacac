import { GateError } from "../../model/errors.ts";
import type { AuditRecord } from "../../model/event.ts";
import { endsWithin } from "../../model/time/within_ms.ts";
import { isStopped } from "../../model/verdict.ts";
import { type ExportFormat, renderLine } from "../export/export_audit.ts";
import type { Sink } from "./sink.ts";

const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 5_000;
/** How long to wait for an early end from the receiver before we close our side. */
const EARLY_END_MS = 50;
/** Facility 13, "log audit". */
const FACILITY = 13;

/**
 * Sends each record as one message over TCP or TLS, framed by octet counts.
 *
 * Syslog has no acknowledgement. The best sign is a receiver that closes its side after we closed
 * ours: then the receiver has read everything. If the receiver closes first, the batch is sent
 * again: bytes that were written may still be lost.
 *
 * @see RFC 5424 (message), RFC 6587 section 3.4.1 and RFC 5425 (framing)
 */
export function createSyslogSink(
  url: URL,
  deps: {
    readAuthorities: () => Promise<string[]>;
    /** How long the receiver may take to close after the last message. */
    closePatienceMs?: number;
  },
): Sink {
  const isTls = url.protocol === "syslog+tls:";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? (isTls ? 6_514 : 601) : Number(url.port);
  return {
    async deliver(batch, signal) {
      const caCerts = isTls ? await deps.readAuthorities() : null;
      const connection = await connect({ hostname, port, caCerts }, signal);
      const abort = () => closeQuietly(connection);
      signal.addEventListener("abort", abort, { once: true });
      const end = readToEnd(connection);
      try {
        const encoder = new TextEncoder();
        for (const [index, record] of batch.records.entries()) {
          const message = encoder.encode(renderSyslog(record, batch.format, batch.lines[index]));
          const frame = encoder.encode(`${message.length} `);
          await writeAll(connection, frame);
          await writeAll(connection, message);
        }
        if (await endsWithin(end, EARLY_END_MS)) {
          throw new Error("it closed the connection before it had read everything");
        }
        await connection.closeWrite();
        if (!await endsWithin(end, deps.closePatienceMs ?? CLOSE_TIMEOUT_MS)) {
          // It is unknown which messages the receiver has read.
          throw new Error("it did not close the connection after the last message");
        }
      } finally {
        signal.removeEventListener("abort", abort);
        closeQuietly(connection);
      }
    },
  };
}

/**
 * One record as a syslog message, without framing.
 *
 * @throws {GateError} `ERR_CONFIG` for a format that has no lines.
 */
export function renderSyslog(
  record: AuditRecord,
  format: ExportFormat,
  /** The record as a line of the format, if the caller has rendered it already. */
  line?: string,
): string {
  if (format === "parquet") {
    throw new GateError("ERR_CONFIG", "Cannot ship Parquet over syslog", {
      hint: "Choose cef, ocsf, jsonl or csv for this sink.",
    });
  }
  const priority = FACILITY * 8 + severityOf(record);
  const host = headField(record.chain, 255);
  const messageId = headField(record.kind, 32);
  const text = (line ?? renderLine(record, format)).trimEnd();
  return `<${priority}>1 ${record.ts} ${host} toolgate ${Deno.pid} ${messageId} - ${text}`;
}

function severityOf(record: AuditRecord): number {
  if (typeof record.detail?.tampered === "string") return 1; // alert
  if (isStopped(record) || record.kind === "auth.fail") return 4; // warning
  return record.err === undefined ? 6 : 5; // informational, notice
}

/** Printable ASCII without spaces, as RFC 5424 requires in the header. */
function headField(text: string, charactersMax: number): string {
  return text.replaceAll(/[^\x21-\x7e]/g, "_").slice(0, charactersMax) || "-";
}

async function connect(
  to: { hostname: string; port: number; caCerts: string[] | null },
  signal: AbortSignal,
): Promise<Deno.TcpConn | Deno.TlsConn> {
  const { hostname, port, caCerts } = to;
  const timeout = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
  const connection = await Deno.connect({ hostname, port, signal: timeout });
  if (caCerts === null) return connection;
  const secured = await Deno.startTls(connection, { hostname, caCerts });
  try {
    await secured.handshake();
    return secured;
  } catch (error) {
    closeQuietly(secured);
    throw error;
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Resolves when the receiver closes its side; ignores received bytes. */
function readToEnd(connection: Deno.Conn): Promise<void> {
  const reading = (async () => {
    const buffer = new Uint8Array(1_024);
    while ((await connection.read(buffer)) !== null);
  })();
  reading.catch(() => {}); // the caller that awaits the end gets the error
  return reading;
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // already closed
  }
}
