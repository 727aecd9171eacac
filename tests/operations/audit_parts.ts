import { type AuditLog, openAuditLog } from "../../src/audit/audit_log.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import type { AuditEvent } from "../../src/model/event.ts";
import type { Principal } from "../../src/model/principal.ts";
import { openStore } from "../../src/store/open_store.ts";
import { BUYER, GROUPS } from "./operation_parts.ts";

/** A real log in memory, with the policy that names groups. */
export async function withAudit(
  use: (deps: TestAudit) => Promise<void>,
): Promise<void> {
  const store = await openStore("memory:");
  const { audit: config } = ConfigSchema.parse({});
  const audit = await openAuditLog({ store, chain: "main", config });
  try {
    await use({ audit, policy: GROUPS });
  } finally {
    await audit.close();
    await store.close();
  }
}

export interface TestAudit {
  readonly audit: AuditLog;
  readonly policy: typeof GROUPS;
}

/** What was recorded of administrators' acts, newest first: who, and the detail. */
export async function adminActs(audit: AuditLog): Promise<readonly unknown[]> {
  const { records } = await audit.query({ kind: "admin" });
  return records.filter(({ detail }) => detail?.action !== undefined)
    .map(({ actor, detail }) => [actor?.sub, detail]);
}

/** The record parts that name who called. */
export function actorParts({ sub, issuer, client }: Principal): Pick<AuditEvent, "actor"> {
  return { actor: { sub, iss: issuer, client, groups: [], scopes: [] } };
}

/** Records a call that went through, with its arguments beside the intent and its result. */
export async function recordCall(
  audit: AuditLog,
  call: string,
  { args, result = "1", principal = BUYER, tool = "pay" }: {
    readonly args?: string;
    readonly result?: string;
    readonly principal?: Principal;
    readonly tool?: string;
  },
): Promise<void> {
  const about = {
    execution: call.slice(0, call.lastIndexOf(":")),
    call,
    space: "default",
    tool: { server: "shop", name: tool, access: "write" as const },
    decision: { effect: "allow" as const, because: ["pay"], bundle: "digest" },
    ...actorParts(principal),
  };
  await audit.append({ ...about, kind: "call.intent" }, args === undefined ? {} : { args });
  await audit.append({ ...about, kind: "call.outcome", result: { status: "ok" } }, { result });
}
