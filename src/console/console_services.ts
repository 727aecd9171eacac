import { declareTool } from "../catalog/declare.ts";
import type { Config } from "../config/schema.ts";
import { DEFAULT_SPACE } from "../model/space.ts";
import { findRecords } from "../operations/audit.ts";
import { decideTool, diffTool, listCatalog } from "../operations/catalog.ts";
import { exportRecords } from "../operations/export_records.ts";
import type { OperationDeps } from "../operations/operation_deps.ts";
import { recordAdmin } from "../operations/record_admin.ts";
import { openRecordedCall } from "../operations/recorded_call.ts";
import { showExecution } from "../operations/show_execution.ts";
import { countUsage } from "../operations/usage.ts";
import type { ActivePolicy } from "../policy/active_policy.ts";
import { createAuditChecker } from "./audit_checker.ts";
import type { ConsoleAudit, ConsoleDeps } from "./console_deps.ts";
import { type ConsoleLoginDeps, createConsoleLogin } from "./console_login.ts";
import { openLiveExecutions } from "./live_executions.ts";
import { createSessionStore, type SessionStoreDeps } from "./session_store.ts";

/** The parts of the service that the console's functions use. */
export interface ConsoleServicesDeps
  extends
    Pick<OperationDeps, "audit" | "catalog" | "view" | "servers" | "explain">,
    Pick<OperationDeps, "usdPerMillionTokens" | "log" | "closing">,
    Omit<ConsoleLoginDeps, "audit" | "policy" | "config">,
    SessionStoreDeps,
    Pick<ConsoleDeps, "version" | "secret" | "anonymous" | "accountAt">,
    Pick<ConsoleAudit, "sinks"> {
  readonly config: Pick<Config, "auth" | "server">;
  readonly policy: Pick<ActivePolicy, "current" | "status">;
}

export interface ConsoleServices extends ConsoleDeps {
  close(): Promise<void>;
}

/** Makes the functions for the console's pages from the parts of the service. */
export async function createConsoleServices(deps: ConsoleServicesDeps): Promise<ConsoleServices> {
  const { audit, now, log, policy } = deps;
  const live = await openLiveExecutions({
    queryAudit: audit.query,
    followAudit: audit.follow,
    now,
  });
  const checker = createAuditChecker({ audit, now, log });
  return {
    now,
    log,
    version: deps.version,
    publicUrl: deps.config.server.publicUrl,
    secret: deps.secret,
    closing: deps.closing,
    anonymous: deps.anonymous,
    accountAt: deps.accountAt,
    ...createConsoleLogin(deps),
    ...createSessionStore(deps),
    queryAudit: (filter) => findRecords(deps, filter),
    followAudit: audit.follow,
    showExecution: (principal, id, wish) => showExecution(deps, principal, id, wish),
    executionsLive: live.list,
    exportAudit: (filter, format) => exportRecords(deps, filter, format),
    verifyState: checker.state,
    async startVerify(principal) {
      await recordAdmin(deps, principal, "audit.verify");
      checker.start();
    },
    sinks: deps.sinks,
    tools: (principal) => listCatalog(deps, { principal, space: DEFAULT_SPACE }, "all"),
    diff: (server, name) => diffTool(deps, server, name),
    decideTool: (principal, decision) => decideTool(deps, principal, decision),
    declareTool,
    policyStatus: () => ({ ...policy.status(), mode: policy.current().mode }),
    spaces: () => policy.current().spaces,
    explain: deps.explain,
    recordedCall: (principal, call, mayOpen) => openRecordedCall(deps, principal, call, mayOpen),
    usage: (question) => countUsage(deps, question),
    async close() {
      live.close();
      await checker.close();
    },
  };
}
