import { EXPORT_MEDIA_TYPES } from "../../audit/export/export_audit.ts";
import { GateError } from "../../model/errors.ts";
import { findRecords, showRecords, streamRecords } from "../../operations/audit.ts";
import { exportRecords } from "../../operations/export_records.ts";
import { readCalls } from "../../operations/read_calls.ts";
import { replayRecorded } from "../../operations/replay.ts";
import { file, json } from "./answer.ts";
import {
  AuditReportSchema,
  CallAnswerSchema,
  RecordPageSchema,
  ReplayReportSchema,
  ShownRecordsSchema,
} from "./answers/audit_answers.ts";
import { route } from "./route.ts";
import { CallQuerySchema, ExportQuerySchema, FilterSchema } from "./inputs/audit_inputs.ts";

/** Routes of the audit log. */
export const AUDIT_ROUTES = [
  route("GET /audit", {
    scope: "audit",
    summary: "Records, newest first",
    query: FilterSchema,
    answer: json(RecordPageSchema),
    handle: (deps, { query }) => findRecords(deps, checkedPeriod(query)),
  }),
  route("GET /audit/calls", {
    scope: "auditor",
    summary: "Calls with their arguments and results, newest first",
    query: CallQuerySchema,
    answer: json(CallAnswerSchema),
    handle: (deps, { principal, query }) => readCalls(deps, principal, checkedPeriod(query)),
  }),
  route("GET /audit/:id", {
    scope: "audit",
    summary: "All records of an execution or call",
    answer: json(ShownRecordsSchema),
    handle: (deps, { params }) => showRecords(deps, params.id),
  }),
  route("GET /audit/stream", {
    scope: "audit",
    summary: "New records as JSON lines",
    query: FilterSchema,
    answer: file("application/x-ndjson"),
    handle: (deps, { query, signal }) => {
      const stream = streamRecords(deps, checkedPeriod(query), signal);
      return new Response(stream, { headers: { "content-type": "application/x-ndjson" } });
    },
  }),
  route("GET /audit/export", {
    scope: "audit",
    summary: "Records as a file",
    query: ExportQuerySchema,
    answer: file(...Object.values(EXPORT_MEDIA_TYPES)),
    handle: (deps, { query }) => {
      const { format, ...filter } = checkedPeriod(query);
      return exportRecords(deps, filter, format);
    },
  }),
  route("POST /audit/verify", {
    scope: "audit",
    summary: "Check the hash chain",
    answer: json(AuditReportSchema),
    handle: (deps) => deps.audit.verify(),
  }),
  route("POST /audit/replay/:execution", {
    scope: "auditor",
    summary: "Run recorded code over recorded results",
    answer: json(ReplayReportSchema),
    handle: (deps, { principal, params, signal }) =>
      replayRecorded(deps, principal, params.execution, signal),
  }),
] as const;

/** @throws {GateError} `ERR_BAD_REQUEST` for an empty period. */
function checkedPeriod<T extends { readonly since?: number; readonly until?: number }>(
  query: T,
): T {
  const { since, until } = query;
  if (since === undefined || until === undefined || since < until) return query;
  throw new GateError("ERR_BAD_REQUEST", "Invalid query: since is not before until", {
    hint: "Name an earlier since, or a later until",
  });
}
