import type { AuditActor, AuditEvent, AuditRecord } from "../../model/event.ts";
import type { AuditPayloads } from "../payloads/payload_box.ts";
import type { ChainWriter } from "./chain_writer.ts";
import { type KeepDeps, keepPayloads, type KeptRecord } from "./keep_payloads.ts";
import { storedBytesOf, type Urgency } from "./queue.ts";

export interface AppendDeps extends KeepDeps {
  readonly writer: Pick<ChainWriter, "append">;
  /** Called for each record with an actor, with the bytes it takes in the store. */
  readonly onKept?: (actor: AuditActor, bytes: number) => void;
}

/** Adds a record with its payloads; resolves when it is durable. */
export type AppendInOrder = (
  event: AuditEvent,
  payloads?: AuditPayloads,
  urgency?: Urgency,
) => Promise<AuditRecord>;

/**
 * Hands records to the writer once their payloads are kept. A large payload takes time; later
 * records of the same execution wait, so that their order stays.
 */
export function createAppendInOrder(deps: AppendDeps): AppendInOrder {
  /** By execution: resolves when its last delayed record is in the queue. */
  const delayed = new Map<string, Promise<void>>();

  function hand({ event, payloads }: KeptRecord, urgency: Urgency): Promise<AuditRecord> {
    if (event.actor !== undefined) deps.onKept?.(event.actor, storedBytesOf(event, payloads));
    return deps.writer.append(event, payloads, urgency);
  }

  return async (event, payloads, urgency = "now") => {
    const kept = keepPayloads(deps, event, payloads);
    const { execution = "" } = event;
    const before = delayed.get(execution);
    if (before === undefined && !(kept instanceof Promise)) return await hand(kept, urgency);
    const handing = Promise.all([kept, before]).then(([kept]) => ({ handed: hand(kept, urgency) }));
    // Later records wait until this one is queued, not until it is durable.
    const placed = handing.then(({ handed }) => void handed.catch(() => {}), () => {});
    delayed.set(execution, placed);
    await placed;
    if (delayed.get(execution) === placed) delayed.delete(execution);
    return await (await handing).handed;
  };
}
