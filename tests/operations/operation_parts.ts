import { GateError } from "../../src/model/errors.ts";
import type { AuditEvent, AuditRecord } from "../../src/model/event.ts";
import type { Principal } from "../../src/model/principal.ts";
import { makePrincipal } from "../policy/sample_tools.ts";

export const BUYER = makePrincipal({ sub: "bo", claims: { groups: ["buyers"] } });
export const ADMIN = makePrincipal({ sub: "ada", scopes: ["admin"] });

/** As much of a policy as it takes to name an actor. */
export const GROUPS = {
  current: () => ({
    groups: ({ claims }: Principal) => claims.groups === undefined ? [] : ["buyers"],
  }),
};

/** A log that keeps what is appended, and fails when it is told to. */
export function createTestLog() {
  const events: AuditEvent[] = [];
  let isBroken = false;
  return {
    events,
    breakDown: () => isBroken = true,
    append(event: AuditEvent): Promise<AuditRecord> {
      if (isBroken) {
        const error = new GateError("ERR_AUDIT_UNAVAILABLE", "The log is full", { hint: "" });
        return Promise.reject(error);
      }
      events.push(event);
      return Promise.resolve({
        ...event,
        v: 1,
        chain: "main",
        seq: events.length - 1,
        ts: "2026-04-01T00:00:00.000Z",
        prev: "",
      });
    },
  };
}

export function callerOf(principal: Principal, space = "default") {
  return { principal, space };
}
