import { type AuditLog, openAuditLog } from "../../src/audit/audit_log.ts";
import { AuditSchema } from "../../src/config/schema.ts";
import type { AuditEvent } from "../../src/model/event.ts";
import { openKvStore } from "../../src/store/kv/kv_store.ts";
import type { Store } from "../../src/store/store.ts";

export const CONFIG = AuditSchema.parse({});

/** The intent of a call `execution:index`. */
export function intent(call: string, tool = "pay.refund", sub = "ada"): AuditEvent {
  const [server = "", name = ""] = tool.split(".");
  return {
    kind: "call.intent",
    space: "default",
    actor: { sub, iss: "keys", client: "cli", groups: [], scopes: ["execute"] },
    execution: call.split(":")[0] ?? "",
    call,
    tool: { server, name, access: "write", pin: "ab".repeat(32) },
    decision: { effect: "allow", because: ["refunds"], bundle: "cd".repeat(32) },
  };
}

export function outcome(call: string, tool = "pay.refund", sub = "ada"): AuditEvent {
  const { decision: _, ...rest } = intent(call, tool, sub);
  return { ...rest, kind: "call.outcome", result: { status: "ok" }, ms: { total: 3 } };
}

/** Writes `executions` executions of two calls each, with payloads; the last call of all is denied. */
export async function writeExecutions(log: AuditLog, executions: number): Promise<void> {
  for (let n = 0; n < executions; n++) {
    const execution = `e${n}`;
    const actor = intent(`${execution}:0`).actor;
    await log.append(
      { kind: "execution.start", execution, ...(actor ? { actor } : {}) },
      { code: JSON.stringify(`return ${n}`) },
    );
    for (const index of [0, 1]) {
      const call = `${execution}:${index}`;
      await log.append(intent(call), { args: JSON.stringify({ amount: n, index }) });
      await log.append(outcome(call), { result: JSON.stringify({ id: call }) });
    }
    await log.append(
      { kind: "execution.end", execution, result: { status: "ok" }, ...(actor ? { actor } : {}) },
      { result: String(n) },
    );
  }
  await log.append({
    ...outcome("e0:9", "pay.delete"),
    decision: { effect: "deny", because: ["no"], bundle: "cd".repeat(32) },
    result: { status: "ERR_POLICY_DENIED" },
  });
}

export interface AuditFolder {
  readonly folder: string;
  readonly storePath: string;
  readonly keysPath: string;
  open(config?: Partial<typeof CONFIG>): Promise<{ store: Store; log: AuditLog }>;
  remove(): Promise<void>;
}

/** A folder with a store file, and another beside it with keys and anchors. */
export async function makeAuditFolder(): Promise<AuditFolder> {
  const folder = await Deno.makeTempDir();
  const storePath = `${folder}/store/toolgate.kv`;
  const keysPath = `${folder}/keys/audit`;
  return {
    folder,
    storePath,
    keysPath,
    async open(config = {}) {
      const store = await openKvStore(storePath);
      const log = await openAuditLog({
        store,
        chain: "main",
        config: { ...CONFIG, ...config },
        keysPath,
      });
      return { store, log };
    },
    remove: () => Deno.remove(folder, { recursive: true }),
  };
}
