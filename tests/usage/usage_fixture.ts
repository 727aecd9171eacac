import type { AuditEvent, AuditRecord } from "../../src/model/event.ts";
import { measureUsage, type Usage, type UsageOptions } from "../../src/usage/kpi.ts";

export const START_MS = Date.UTC(2026, 3, 1, 12);

type Change = Partial<Omit<AuditEvent, "actor">> & {
  readonly sub?: string;
  readonly client?: string;
  readonly groups?: readonly string[];
};

/** Records of one log, written as they would happen: `at` is seconds after the start. */
export function writeLog() {
  const records: AuditRecord[] = [];
  const add = (at: number, kind: AuditEvent["kind"], change: Change = {}) => {
    const { sub = "ada", client = "desk", groups = ["finance"], ...event } = change;
    records.push({
      v: 1,
      chain: "main",
      seq: records.length,
      ts: new Date(START_MS + at * 1_000).toISOString(),
      prev: "",
      space: "default",
      actor: { sub, iss: "keys", client, groups, scopes: [] },
      ...event,
      kind,
    });
  };
  return {
    records,
    add,
    /** One program: its start at `at`, its calls and its end `seconds` later. */
    execute(
      at: number,
      id: string,
      options: Change & {
        readonly status?: string;
        readonly seconds?: number;
        readonly calls?: readonly (Change & { readonly status?: string })[];
        readonly tokens?: { code?: number; returned?: number; keptOut?: number };
      } = {},
    ) {
      const { status = "ok", seconds = 1, calls = [], tokens = {}, ...change } = options;
      add(at, "execution.start", { ...change, execution: id });
      for (const [index, { status: callStatus = "ok", ...call }] of calls.entries()) {
        add(at + seconds, "call.outcome", {
          tool: { server: "orders", name: "list", access: "read", pin: "p" },
          ...change,
          ...call,
          // What an upstream answered took time there.
          ...(callStatus.startsWith("ERR_UPSTREAM") ? { ms: { upstream: 1, ...call.ms } } : {}),
          execution: id,
          call: `${id}:${index}`,
          result: { status: callStatus, ...call.result },
        });
      }
      add(at + seconds, "execution.end", {
        ...change,
        execution: id,
        result: { status, tokensKeptOut: tokens.keptOut ?? 0 },
        detail: {
          calls: calls.length,
          codeTokens: tokens.code ?? 0,
          tokensReturned: tokens.returned ?? 0,
        },
      });
    },
  };
}

export function measure(
  records: readonly AuditRecord[],
  options: Partial<UsageOptions> = {},
): Promise<Usage> {
  return measureUsage(records, {
    by: "principal",
    since: START_MS,
    until: START_MS + 3_600_000,
    usdPerMillionTokens: 3,
    ...options,
  });
}
