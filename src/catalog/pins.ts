import type { QuarantineReason } from "../model/catalog.ts";
import { type ParsedTool, toolKey } from "./parse_listing.ts";
import type { Definition } from "./pin.ts";

/**
 * What an operator has approved and blocked, for one server.
 *
 * The first listing of a server is the baseline: its tools are approved. Later, a new tool is
 * pending, and a changed tool is blocked until an operator approves it. Neither has an effect on
 * the other tools of the server.
 */
export interface ServerPins {
  /** When the baseline was taken, milliseconds since the epoch. */
  readonly baselineAt: number;
  /** Tool key to its pin. A tool that disappears keeps its entry, so that it can come back. */
  readonly approved: { readonly [toolKey: string]: string };
  /** Tool keys that an operator blocked. */
  readonly blocked: readonly string[];
  /**
   * The newest listing's pins of the tools whose pin is not approved. They are written together
   * with the approvals: one comparison then tells whether a decision is about the present
   * definition. Absent in records of earlier versions, until the next listing.
   */
  readonly waiting?: { readonly [toolKey: string]: string };
  /** The approved definition of each tool that has changed since, for its diff. */
  readonly replaced: { readonly [toolKey: string]: Definition };
  /** Identifier to the key of the tool that has it. */
  readonly holders: { readonly [identifier: string]: string };
}

/** The baseline: every tool of a first listing. */
export function baselinePins(tools: readonly ParsedTool[], nowMs: number): ServerPins {
  return {
    baselineAt: nowMs,
    approved: Object.fromEntries(tools.map((tool) => [toolKey(tool), tool.pin])),
    blocked: [],
    waiting: {},
    replaced: {},
    holders: {},
  };
}

/** Why a tool may not be called, or null if its pin is approved. */
export function pinProblem(pins: ServerPins, tool: ParsedTool): QuarantineReason | null {
  const key = toolKey(tool);
  if (pins.blocked.includes(key)) return "blocked";
  const approved = ownValue(pins.approved, key);
  if (approved === undefined) return "pending";
  return approved === tool.pin ? null : "drift";
}

/**
 * The pin of a tool by the newest listing that any replica has stored.
 *
 * @returns undefined if these pins do not say it, null if that listing does not have the tool.
 */
export function storedPin(pins: ServerPins, key: string): string | null | undefined {
  if (pins.waiting === undefined) return undefined;
  return ownValue(pins.waiting, key) ?? ownValue(pins.approved, key) ?? null;
}

/** Stores which pins of a listing are not approved. */
export function rememberWaiting(pins: ServerPins, tools: readonly ParsedTool[]): ServerPins {
  const waiting = tools.filter((tool) => ownValue(pins.approved, toolKey(tool)) !== tool.pin)
    .map((tool) => [toolKey(tool), tool.pin] as const);
  return { ...pins, waiting: Object.fromEntries(waiting) };
}

/** Approves tools with exactly these pins. */
export function approvePins(
  pins: ServerPins,
  tools: readonly Pick<ParsedTool, "kind" | "name" | "pin">[],
): ServerPins {
  const keys = new Set(tools.map(toolKey));
  const without = <Value>(table: { readonly [key: string]: Value }) =>
    Object.fromEntries(Object.entries(table).filter(([key]) => !keys.has(key)));
  return {
    ...pins,
    approved: {
      ...pins.approved,
      ...Object.fromEntries(tools.map((tool) => [toolKey(tool), tool.pin])),
    },
    blocked: pins.blocked.filter((key) => !keys.has(key)),
    ...(pins.waiting === undefined ? {} : { waiting: without(pins.waiting) }),
    replaced: without(pins.replaced),
  };
}

/** Blocks one tool, whatever its pin is. */
export function blockPin(pins: ServerPins, key: string): ServerPins {
  return pins.blocked.includes(key) ? pins : { ...pins, blocked: [...pins.blocked, key] };
}

/**
 * Keeps the approved definition of each tool that has just changed, and drops those of tools that
 * changed back.
 */
export function rememberReplaced(
  pins: ServerPins,
  before: readonly ParsedTool[],
  after: readonly ParsedTool[],
): ServerPins {
  const old = new Map(before.map((tool) => [toolKey(tool), tool]));
  const replaced: Record<string, Definition> = Object.create(null);
  for (const tool of after) {
    if (pinProblem(pins, tool) !== "drift") continue;
    const key = toolKey(tool);
    const known = ownValue(pins.replaced, key);
    const previous = old.get(key);
    if (known !== undefined) replaced[key] = known;
    else if (previous?.pin === pins.approved[key]) replaced[key] = previous.definition;
  }
  return { ...pins, replaced };
}

function ownValue<Value>(table: { readonly [key: string]: Value }, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
