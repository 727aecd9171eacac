/**
 * A JSON value as conditions see it: maps instead of objects, so that a name from a call never
 * reaches a prototype, and a marker instead of each value that a condition must not use.
 */
export type CelValue =
  | null
  | boolean
  | number
  /** An integer that a JavaScript number cannot hold exactly; in CEL an int. */
  | bigint
  | string
  | CelValue[]
  | Map<string, CelValue>
  | Unreadable;

/** Bounds of what one condition may read. A larger value is unreadable: using it is an error. */
export interface CelValueLimits {
  readonly listItemsMax: number;
  readonly depthMax: number;
  /** Values, keys and items together. */
  readonly nodesMax: number;
  /** UTF-16 code units in all texts together. */
  readonly charactersMax: number;
}

/** For conditions that read each value at most a fixed number of times. */
export const STRAIGHT_LIMITS: CelValueLimits = {
  listItemsMax: 1_000,
  depthMax: 64,
  nodesMax: 100_000,
  charactersMax: 4_194_304,
};

/** For conditions with a macro, which repeat their body for every item of a list. */
export const LOOP_LIMITS: CelValueLimits = {
  listItemsMax: 1_000,
  depthMax: 64,
  nodesMax: 50_000,
  charactersMax: 131_072,
};

/** Replaces a value that is out of bounds. CEL does not know this type, so using it is an error. */
export class Unreadable {}

/** Converts values for conditions; the bounds apply to all values of one reader together. */
export interface CelReader {
  readonly read: (value: unknown) => CelValue;
  /** The first bound that was exceeded; null if there is none. */
  readonly problem: () => string | null;
}

export function createCelReader(limits: CelValueLimits): CelReader {
  let nodes = 0;
  let characters = 0;
  let problem: string | null = null;

  function refuse(reason: string): Unreadable {
    problem ??= reason;
    return new Unreadable();
  }

  function read(value: unknown, depth: number): CelValue {
    if (++nodes > limits.nodesMax) {
      return refuse(`The arguments hold more than ${limits.nodesMax} values`);
    }
    switch (typeof value) {
      case "string":
        characters += value.length;
        return characters > limits.charactersMax
          ? refuse(`The arguments hold more than ${limits.charactersMax} characters`)
          : value;
      case "number":
        // JSON.parse reads 1e999 as Infinity, and JSON.stringify would send it as null.
        return Number.isFinite(value) ? value : refuse("A number is not finite");
      case "bigint":
      case "boolean":
        return value;
      case "object":
        if (value === null) return null;
        if (depth >= limits.depthMax) {
          return refuse(`The arguments nest more than ${limits.depthMax} deep`);
        }
        return Array.isArray(value) ? readList(value, depth) : readMap(value, depth);
      default:
        return refuse("A value is not JSON");
    }
  }

  function readList(list: readonly unknown[], depth: number): CelValue {
    if (list.length > limits.listItemsMax) {
      return refuse(`A list has more than ${limits.listItemsMax} items`);
    }
    const items: CelValue[] = [];
    for (let index = 0; index < list.length; index++) items.push(read(list[index], depth + 1));
    return items;
  }

  function readMap(object: object, depth: number): CelValue {
    const map = new Map<string, CelValue>();
    for (const key of Object.keys(object)) {
      characters += key.length;
      map.set(key, read((object as { readonly [key: string]: unknown })[key], depth + 1));
      if (nodes > limits.nodesMax) {
        return refuse(`The arguments hold more than ${limits.nodesMax} values`);
      }
    }
    return map;
  }

  return { read: (value) => read(value, 0), problem: () => problem };
}
