import { isFields } from "../../model/json/fields.ts";
import type { PayloadKeys } from "../chain/audit_keys.ts";
import { openBox } from "./payload_box.ts";

/** A payload box as the store holds it. */
export interface StoredBox {
  /** The name of its key. */
  readonly key: string;
  /** Numbers of the first and last record whose payloads are in the box; 0 for a large payload. */
  readonly first: number;
  readonly last: number;
  readonly box: string;
}

/** @returns null for a value that is not a payload box. */
export function parseBox(value: unknown): StoredBox | null {
  if (!isFields(value)) return null;
  const { key, first, last, box } = value;
  if (typeof key !== "string" || typeof box !== "string") return null;
  return typeof first === "number" && typeof last === "number" ? { key, first, last, box } : null;
}

/** @throws when the key is missing, or the box was changed, moved, or closed with another key. */
export function openStored(keys: PayloadKeys, stored: StoredBox | null, place: string): unknown {
  if (stored === null) throw new Error("it is not a payload box");
  const key = keys.find(({ id }) => id === stored.key);
  if (key === undefined) throw new Error(`its key "${stored.key}" is not here`);
  return openBox(stored.box, place, key);
}
