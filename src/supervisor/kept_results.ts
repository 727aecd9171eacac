import { GateError } from "../model/errors.ts";
import { type Principal, principalKey } from "../model/principal.ts";
import { keyOf } from "../store/keys.ts";
import type { Store } from "../store/store.ts";

/**
 * Results of `execute` that were too large to return: kept for a while, readable by whoever ran the
 * program and nobody else.
 */
export interface KeptResults {
  keep(
    principal: Principal,
    executionId: string,
    json: string,
  ): Promise<{ readonly uri: string; readonly bytes: number }>;
  /** @throws {GateError} `ERR_NOT_FOUND` for an unknown, expired or foreign one. */
  read(principal: Principal, uri: string): Promise<string>;
}

const KEEP_MS = 60 * 60_000;
const URI = /^toolgate:\/\/executions\/([0-9a-f-]{36})\/result$/;

export function createKeptResults(deps: { readonly store: Store }): KeptResults {
  return {
    async keep(principal, executionId, json) {
      const value = { owner: principalKey(principal), json };
      await deps.store.put([{ key: keyOf.keptResult(executionId), value, ttlMs: KEEP_MS }]);
      return {
        uri: `toolgate://executions/${executionId}/result`,
        bytes: new TextEncoder().encode(json).length,
      };
    },
    async read(principal, uri) {
      const id = URI.exec(uri)?.[1];
      const entry = id === undefined ? null : await deps.store.get(keyOf.keptResult(id));
      const value = entry?.value;
      if (
        typeof value === "object" && value !== null && !Array.isArray(value) &&
        value.owner === principalKey(principal) && typeof value.json === "string"
      ) return value.json;
      throw new GateError("ERR_NOT_FOUND", `There is no resource ${uri.slice(0, 200)}`, {
        hint: `Results are kept for ${KEEP_MS / 60_000} minutes; run the program again`,
      });
    },
  };
}
