import type { Definition } from "./pin.ts";
import { canonicalJson } from "./pin.ts";

/** One place where two definitions differ. Values are JSON texts, cut. */
export interface DefinitionChange {
  /** `inputSchema.properties.amount.type` */
  readonly path: string;
  /** Null where there was or is nothing. */
  readonly before: string | null;
  readonly after: string | null;
}

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
}

const CHANGES_MAX = 200;
const VALUE_CHARS_MAX = 500;

/** Where two definitions differ, place by place, at most 200. */
export function diffDefinitions(before: Definition | null, after: Definition): DefinitionChange[] {
  const changes: DefinitionChange[] = [];
  compare("", before ?? undefined, after, changes);
  return changes;
}

/**
 * Whether a change is only in how a text is set: white space, letter case, full stops, order of keys
 * or of `required`. Everything a model could read differently is semantic, and so is an invisible
 * character.
 */
export function isCosmetic(before: Definition, after: Definition): boolean {
  return canonicalJson(settle(before)) === canonicalJson(settle(after));
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

function compare(path: string, before: unknown, after: unknown, changes: DefinitionChange[]) {
  if (changes.length >= CHANGES_MAX) return;
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const old = Object.hasOwn(before, key) ? before[key] : undefined;
      const now = Object.hasOwn(after, key) ? after[key] : undefined;
      compare(path === "" ? key : `${path}.${key}`, old, now, changes);
    }
    return;
  }
  if (before === undefined && isObject(after) && path === "") {
    for (const [key, value] of Object.entries(after)) compare(key, undefined, value, changes);
    return;
  }
  if (
    canonicalJson(before) === canonicalJson(after) &&
    (before === undefined) === (after === undefined)
  ) {
    return;
  }
  changes.push({ path, before: show(before), after: show(after) });
}

function show(value: unknown): string | null {
  if (value === undefined) return null;
  // Escaped, so that a hidden character is seen in a terminal.
  const text = JSON.stringify(value).replace(/[^\x20-\x7e]/g, escapeInvisible);
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : text;
}

function escapeInvisible(character: string): string {
  return /[\p{L}\p{N}\p{P}\p{S}]/u.test(character)
    ? character
    : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
