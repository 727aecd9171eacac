import { stableJson } from "../model/json/canonical_json.ts";
import { isFields } from "../model/json/fields.ts";
import type { Definition } from "./pin.ts";

/**
 * One place where two definitions differ. Values are whole JSON texts with invisible characters
 * escaped: an operator has to be able to read all of what is approved.
 */
export interface DefinitionChange {
  /** `inputSchema.properties.amount.type` */
  readonly path: string;
  /** Null if the place did not exist before, or does not exist after. */
  readonly before: string | null;
  readonly after: string | null;
}

/** A listed tool beside its approved definition. */
export interface ToolDiff {
  readonly server: string;
  readonly name: string;
  readonly state: "approved" | "pending" | "drift" | "blocked";
  /** `cosmetic`: only white space, letter case or order differ. Null without a difference. */
  readonly change: "cosmetic" | "semantic" | null;
  readonly changes: readonly DefinitionChange[];
  /** SHA-256 (hex); null for a tool that was never approved. */
  readonly approvedPin: string | null;
  readonly pin: string;
  /** Everything that the pin covers, as received: the operator who decides is shown this. */
  readonly definition: Definition;
}

/** Above this many places, which no operator reads, whole parts are compared instead. */
const CHANGES_MAX = 200;

/**
 * Where two definitions differ, place by place; above `CHANGES_MAX` places, in whole
 * parts.
 */
export function diffDefinitions(before: Definition | null, after: Definition): DefinitionChange[] {
  const places: DefinitionChange[] = [];
  compare(before ?? undefined, after, { path: "", depthMax: Number.POSITIVE_INFINITY }, places);
  if (places.length <= CHANGES_MAX) return places;
  const parts: DefinitionChange[] = [];
  compare(before ?? undefined, after, { path: "", depthMax: 1 }, parts);
  return parts;
}

/**
 * Whether a change is only one of white space, letter case, full stops, or the order of keys or of
 * `required`. Everything that a model could read differently is semantic, and so is an invisible
 * character.
 */
export function isCosmetic(before: Definition, after: Definition): boolean {
  return stableJson(settle(before)) === stableJson(settle(after));
}

const TEXT_KEYS = new Set(["title", "description"]);

function settle(value: unknown, key = ""): unknown {
  if (typeof value === "string") return TEXT_KEYS.has(key) ? settleText(value) : value;
  if (Array.isArray(value)) {
    const items = value.map((item) => settle(item));
    return key === "required" ? items.map(String).sort() : items;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, settle(member, name)]),
  );
}

function settleText(text: string): string {
  return text.normalize().toLowerCase().replace(/[\s.]+/g, " ").trim();
}

interface Place {
  readonly path: string;
  /** How many levels below this place are compared one by one. */
  readonly depthMax: number;
}

/** @param changes gets the differences. */
function compare(
  before: unknown,
  after: unknown,
  { path, depthMax }: Place,
  changes: DefinitionChange[],
): void {
  if (depthMax > 0 && isFields(before) && isFields(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const old = Object.hasOwn(before, key) ? before[key] : undefined;
      const now = Object.hasOwn(after, key) ? after[key] : undefined;
      const name = escapeInvisible(key);
      const inner = { path: path === "" ? name : `${path}.${name}`, depthMax: depthMax - 1 };
      compare(old, now, inner, changes);
    }
    return;
  }
  if (before === undefined && isFields(after) && path === "") {
    for (const [key, value] of Object.entries(after)) {
      compare(undefined, value, { path: key, depthMax: 0 }, changes);
    }
    return;
  }
  if (
    stableJson(before) === stableJson(after) &&
    (before === undefined) === (after === undefined)
  ) {
    return;
  }
  changes.push({ path, before: show(before), after: show(after) });
}

function show(value: unknown): string | null {
  return value === undefined ? null : escapeInvisible(JSON.stringify(value));
}

/**
 * Writes characters that are invisible, hide others or reorder text as `\u202e`: a terminal shows
 * those.
 */
function escapeInvisible(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (character) => {
    if (/[\p{L}\p{N}\p{P}\p{S}]/u.test(character) && !RENDERS_AS_NOTHING.test(character)) {
      return character;
    }
    return Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
    ).join("");
  });
}

/** Characters that Unicode classes as letters or symbols, but that no font draws. */
const RENDERS_AS_NOTHING = /[\p{Default_Ignorable_Code_Point}\u2800]/u;
