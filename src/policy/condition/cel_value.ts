/**
 * A JSON value as conditions see it: maps instead of objects, so that no name that was sent to us
 * reaches a prototype, and a marker instead of everything that a condition must not work on.
 */
export type CelValue =
  | null
  | boolean
  | number
  /** An integer that no number holds exactly: CEL's own integer. */
  | bigint
  | string
  | CelValue[]
  | Map<string, CelValue>
  | Unreadable;

/** Bounds of what one condition may look at. Larger values are unreadable, which is an error when touched. */
export interface CelValueLimits {
  readonly listItemsMax: number;
  readonly depthMax: number;
  /** Values, keys and items together. */
  readonly nodesMax: number;
  /** UTF-16 code units of all texts together. */
  readonly charactersMax: number;
}

/** For conditions that look at each value at most a fixed number of times. */
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

/** Stands for a value that is out of bounds. CEL knows no such type, so touching it is an error. */
export class Unreadable {}

/** Makes values for one condition; the bounds hold for all of them together. */
export interface CelReader {
  readonly read: (value: unknown) => CelValue;
  /** What was out of bounds first; null if nothing was. */
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
        // JSON.parse reads 1e999 as Infinity, which no upstream will ever see.
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
