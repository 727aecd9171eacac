import { endOfString } from "../model/json/json_text.ts";

/**
 * Tells whether JSON text nests deeper than a bound, without building values.
 *
 * Parsing and printing very deep values takes seconds and much memory; this is one linear scan.
 */
export function isDeeperThan(json: string, levelsMax: number): boolean {
  if (json.length <= levelsMax) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > levelsMax) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

/**
 * The most values in the arguments of one call. The service checks, decides, hashes and records
 * them without a pause, so more values would delay all other callers.
 */
export const CALL_VALUES_MAX = 100_000;

/** Tells whether JSON text has more values than a bound, without counting names of members. */
export function hasMoreValues(json: string, valuesMax: number): boolean {
  if (json.length <= valuesMax) return false;
  let values = 1;
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (code === 0x22) {
      index = endOfString(json, index);
    } else if (code === 0x2c || code === 0x5b || code === 0x7b) {
      if (++values > valuesMax) return true;
    }
  }
  return false;
}

/** The same for a parsed value; it stops at the bound. */
export function holdsMoreValues(value: unknown, valuesMax: number): boolean {
  const open: unknown[] = [value];
  let values = 1;
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next !== "object" || next === null) continue;
    if (Array.isArray(next)) {
      // Add the length first: pushing a million members before the check would take long.
      values += next.length;
      if (values > valuesMax) return true;
      for (const member of next) open.push(member);
      continue;
    }
    for (const key in next) {
      if (++values > valuesMax) return true;
      open.push(next[key as keyof typeof next]);
    }
  }
  return false;
}

/** Length of a text in UTF-8 bytes. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    bytes += code < 0x800 ? 1 : 2;
    if (code >= 0xd800 && code <= 0xdbff) {
      const next = text.charCodeAt(index + 1);
      if (next >= 0xdc00 && next <= 0xdfff) {
        // A pair is four bytes for two units.
        index++;
      }
    }
  }
  return bytes;
}
