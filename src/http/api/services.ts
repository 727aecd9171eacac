import type { AuditLog } from "../../audit/audit_log.ts";
import { recordMatcher } from "../../audit/audit_query.ts";
import type { Catalog } from "../../catalog/catalog.ts";
import { GateError } from "../../model/errors.ts";
import type { Principal } from "../../model/principal.ts";
import {
  decideNamedTool,
  declareVisible,
  diffNamedTool,
  type ListCatalogDeps,
  listPins,
  listTools,
  showTool,
} from "../../operations/catalog.ts";
import { createKey, type KeyDeps, listKeys, revokeKey } from "../../operations/keys.ts";
import type { ActivePolicy } from "../../policy/active_policy.ts";
import type { CatalogView } from "../../supervisor/catalog_view.ts";
import type { ShownRecords } from "./answers/audit_answers.ts";
import type { ApiDeps } from "./api_deps.ts";
import { exportResponse } from "./export_response.ts";

export interface ApiServicesDeps extends ListCatalogDeps, Pick<KeyDeps, "keys"> {
  readonly catalog: () => Promise<Catalog>;
  readonly policy: ActivePolicy;
  readonly view: (principal: Principal, space: string) => CatalogView;
  readonly audit: AuditLog;
  /** Aborted when the service drains: streams would otherwise hold it open. */
  readonly closing: AbortSignal;
}

/** Binds what the API offers of catalog, audit log and keys to the parts of the service. */
export function createApiServices(deps: ApiServicesDeps): Pick<
  ApiDeps,
  | "types"
  | "tools"
  | "tool"
  | "toolDiff"
  | "approveTool"
  | "blockTool"
  | "pins"
  | "createKey"
  | "listKeys"
  | "revokeKey"
  | "auditQuery"
  | "auditExport"
  | "auditVerify"
  | "auditShow"
  | "auditStream"
> {
  return {
    types: (caller) => declareVisible(deps, caller),
    tools: (caller) => listTools(deps, caller),
    tool: (caller, name) => showTool(deps, caller, name),
    toolDiff: (name) => diffNamedTool(deps, name),
    approveTool: (principal, name, pin) =>
      decideNamedTool(deps, principal, { verb: "approve", name, pin }),
    blockTool: (principal, name, pin) =>
      decideNamedTool(deps, principal, { verb: "block", name, pin }),
    pins: () => listPins(deps),
    createKey: (principal, request) => createKey(deps, principal, request),
    listKeys: () => listKeys(deps),
    revokeKey: (principal, id) => revokeKey(deps, principal, id),
    auditQuery: (filter) => deps.audit.query(filter).catch(refuseBadPlace),
    auditExport: (filter, format) => exportResponse(deps.audit, filter, format),
    auditVerify: () => deps.audit.verify(),
    auditShow: (id) => showAudit(deps.audit, id),
    auditStream: (filter, signal) =>
      streamAudit(deps.audit, filter, AbortSignal.any([signal, deps.closing])),
  };
}

const RECORDS_OF_EXECUTION_MAX = 10_000;

/** All records of one execution, oldest first; `<execution>:<index>` shows one call's. */
async function showAudit(audit: AuditLog, id: string): Promise<ShownRecords> {
  const [execution = "", index] = id.split(":");
  const { records } = await audit.query({ execution, limit: RECORDS_OF_EXECUTION_MAX });
  const wanted = index === undefined ? records : records.filter((record) => record.call === id);
  if (wanted.length === 0) {
    throw new GateError(
      "ERR_NOT_FOUND",
      `The audit log has no execution or call "${id.slice(0, 100)}"`,
      {
        hint: 'See "toolgate audit list"',
      },
    );
  }
  return { id, records: wanted.toReversed() };
}

function refuseBadPlace(error: unknown): never {
  if (!(error instanceof RangeError)) throw error;
  throw new GateError("ERR_BAD_REQUEST", `Cannot read the audit log: ${error.message}`, {
    hint: 'Pass "next" of the page before as "after", unchanged',
    cause: error,
  });
}

function streamAudit(
  audit: AuditLog,
  filter: Parameters<AuditLog["query"]>[0],
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const text = new TextEncoder();
  const matches = recordMatcher(filter);
  let stop = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      stop = audit.follow((record) => {
        if (!matches(record)) return;
        // A reader that does not keep up loses its stream, not the log its memory.
        if ((controller.desiredSize ?? 0) < -10_000) return controller.error(new Error("Too slow"));
        controller.enqueue(text.encode(`${JSON.stringify(record)}\n`));
      });
      signal.addEventListener("abort", () => {
        stop();
        try {
          controller.close();
        } catch {
          // The reader was faster.
        }
      }, { once: true });
    },
    cancel: () => stop(),
  });
}
