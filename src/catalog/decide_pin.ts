import { GateError } from "../model/errors.ts";
import type { AuditActor, AuditEvent } from "../model/event.ts";
import { nearest } from "../model/nearest.ts";
import { cleanLine } from "./clean_text.ts";
import { type ParsedTool, toolKey } from "./parse_listing.ts";
import { approvePins, blockPin, type ServerPins, storedPin } from "./pins.ts";
import { findListed, listedTools, rebuildEntry, type ServerEntry } from "./server_entry.ts";
import type { ServerLoader } from "./server_loader.ts";

/** An operator's decision about one tool, and the definition that the operator was shown. */
export interface PinDecision {
  readonly verb: "approve" | "block";
  readonly server: string;
  readonly name: string;
  /** SHA-256 (hex) of the definition that the operator has seen. */
  readonly pin: string;
  readonly actor: AuditActor | null;
}

export interface DecidePinDeps {
  readonly entryOf: (server: string) => ServerEntry;
  readonly changePins: ServerLoader["changePins"];
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly replace: (entry: ServerEntry) => Promise<void>;
}

/**
 * Approves or blocks exactly the definition that was shown.
 *
 * The pin is compared with this replica's listing and, in the same write that changes the pins,
 * with the newest listing of any replica. The caller lets no listing of the server in between.
 *
 * @returns false if the tool's definition has changed since; then nothing was decided.
 * @throws {GateError} `ERR_NOT_FOUND` if the server or its tool does not exist.
 */
export async function decidePin(deps: DecidePinDeps, decision: PinDecision): Promise<boolean> {
  const entry = deps.entryOf(decision.server);
  const tool = listedTool(entry, decision.name, decision.pin);
  if (tool.pin !== decision.pin) return false;
  const key = toolKey(tool);
  let isCurrent = true;
  const changeIfCurrent = (change: (pins: ServerPins) => ServerPins | null) =>
    deps.changePins(entry.server, (stored) => {
      const listed = storedPin(stored, key);
      isCurrent = listed === undefined || listed === decision.pin;
      return isCurrent ? change(stored) : null;
    });
  await changeIfCurrent(() => null);
  if (!isCurrent) return false;
  // First the audit record, then the effect: a decision without a record must not take effect.
  await deps.audit(decisionEvent(entry, decision, tool));
  const pins = await changeIfCurrent((stored) =>
    decision.verb === "approve" ? approvePins(stored, [tool]) : blockPin(stored, key)
  );
  if (!isCurrent) return false;
  const { listing } = entry;
  if (pins === null || listing === null) {
    throw new GateError("ERR_STORE", `The store has no pins of "${entry.server}" any more`, {
      hint: "Restart the service: it lists the server anew",
    });
  }
  await deps.replace(rebuildEntry(deps.entryOf(entry.server), listing, pins));
  return true;
}

/** Audits a refused decision: the tool's definition is not the one that was shown. */
export function refusalEvent(
  entry: ServerEntry,
  decision: PinDecision,
  listedPin: string,
): AuditEvent {
  const facts = { refused: decision.verb, name: decision.name.slice(0, 200) };
  return pinEvent(entry, decision.actor, { ...facts, pin: decision.pin, listedPin });
}

function decisionEvent(entry: ServerEntry, decision: PinDecision, tool: ParsedTool): AuditEvent {
  const facts = decision.verb === "approve"
    ? { approved: [tool.name], count: 1 }
    : { blocked: [tool.name] };
  return pinEvent(entry, decision.actor, { ...facts, pin: tool.pin });
}

function pinEvent(
  entry: ServerEntry,
  actor: AuditActor | null,
  facts: { readonly [fact: string]: unknown },
): AuditEvent {
  return {
    kind: "catalog.change",
    ...(actor === null ? {} : { actor }),
    detail: { server: entry.server, ...facts },
  };
}

/** The tool, resource or prompt of that name; of several, the one with the pin. */
export function listedTool(entry: ServerEntry, name: string, pin: string): ParsedTool {
  const tool = findListed(entry, name, pin);
  if (tool !== undefined) return tool;
  throw new GateError(
    "ERR_NOT_FOUND",
    `Server "${entry.server}" does not list "${cleanLine(name, 100)}"`,
    { hint: didYouMean(name, listedTools(entry).map((listed) => listed.name)) },
  );
}

/** A hint with the nearest names, else with the command that lists all names. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const near = nearest(name, candidates);
  return near.length > 0
    ? `Did you mean ${near.join(" or ")}?`
    : "`toolgate tools list` names all of them";
}
