/** How much structure JSON text may have: its length alone does not bound the cost of parsing. */
export const JSON_STRUCTURE_MAX = {
  depth: 128,
  /** Names of one object, repeated ones included. */
  keysPerObject: 10_000,
  /** Objects, arrays, strings, numbers, true, false and null of a document. */
  values: 1_000_000,
} as const;

export type JsonStructureMax = { readonly [bound in keyof typeof JSON_STRUCTURE_MAX]: number };

/** Scans a document that arrives in pieces. */
export interface JsonStructureScanner {
  /** @returns the exceeded bound, as the end of a sentence; null while all bounds hold. */
  scan(bytes: Uint8Array): string | null;
}

const OTHER = 0;
const SPACE = 1;
const QUOTE = 2;
const OPEN_OBJECT = 3;
const OPEN_ARRAY = 4;
const CLOSE = 5;
const COLON = 6;
const COMMA = 7;
const QUOTE_BYTE = 0x22;
const BACKSLASH_BYTE = 0x5c;

/** The kind of each byte outside a string. */
const KIND_OF_BYTE = kindsOfBytes();

/**
 * Counts depth, names and values of JSON text in one linear scan over its bytes, before parsing.
 *
 * Text that is not JSON gets an arbitrary count; the parser rejects it later.
 */
export function createJsonStructureScanner(
  max: JsonStructureMax = JSON_STRUCTURE_MAX,
): JsonStructureScanner {
  /** Number of names so far in each open container. */
  const keys = new Uint32Array(max.depth + 1);
  let depth = 0;
  let values = 1;
  let inString = false;
  let escaped = false;
  /** A container has just been opened, and its content has not begun. */
  let opened = false;
  return {
    scan(bytes) {
      for (let index = 0; index < bytes.length; index++) {
        const byte = bytes[index] ?? 0;
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === BACKSLASH_BYTE) escaped = true;
          else if (byte === QUOTE_BYTE) inString = false;
          continue;
        }
        const kind = KIND_OF_BYTE[byte];
        if (kind === OTHER && !opened || kind === SPACE) continue;
        if (opened && kind !== CLOSE) values++; // the first member
        opened = false;
        if (kind === QUOTE) inString = true;
        else if (kind === COMMA) values++;
        else if (kind === COLON) {
          const names = (keys[depth] ?? 0) + 1;
          if (names > max.keysPerObject) {
            return `an object has more than ${max.keysPerObject} names`;
          }
          keys[depth] = names;
        } else if (kind === OPEN_ARRAY || kind === OPEN_OBJECT) {
          if (++depth > max.depth) return `it nests deeper than ${max.depth} levels`;
          keys[depth] = 0;
          opened = true;
        } else if (kind === CLOSE && depth > 0) depth--;
        if (values > max.values) return `it has more than ${max.values} values`;
      }
      return null;
    },
  };
}

function kindsOfBytes(): Uint8Array {
  const kinds = new Uint8Array(256);
  const set = (characters: string, kind: number) => {
    for (const character of characters) kinds[character.charCodeAt(0)] = kind;
  };
  set(" \t\r\n", SPACE);
  set('"', QUOTE);
  set("{", OPEN_OBJECT);
  set("[", OPEN_ARRAY);
  set("}]", CLOSE);
  set(":", COLON);
  set(",", COMMA);
  return kinds;
}
