import type { AuditEvent } from "../model/event.ts";
import type { Principal } from "../model/principal.ts";
import type { Policy } from "../policy/policy.ts";
import { actorOf } from "./actor.ts";

/** The principal, space, task and trace of a request. */
export interface Origin {
  readonly principal: Principal;
  readonly space: string;
  /** Client's task id; null if it names none. */
  readonly task: string | null;
  /** W3C `traceparent`; null if the client sent none. */
  readonly traceparent: string | null;
}

/** The fields that all audit records of one request share. */
export function eventOrigin(
  { principal, space, task, traceparent }: Origin,
  policy: Pick<Policy, "groups">,
): Pick<AuditEvent, "space" | "actor" | "task" | "trace"> {
  return {
    space,
    actor: actorOf(principal, policy),
    ...(task === null ? {} : { task }),
    ...(traceparent === null ? {} : { trace: traceparent }),
  };
}
