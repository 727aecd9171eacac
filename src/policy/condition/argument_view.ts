import { asFields } from "../../model/json/fields.ts";
import {
  type CelReader,
  type CelValue,
  type CelValueLimits,
  createCelReader,
} from "./cel_value.ts";

/**
 * The arguments of one call, as conditions see them.
 *
 * The view reads only the arguments that a condition names, and reads each once for all conditions:
 * a rule about a file name costs nothing for an upload of megabytes. The bounds apply to each
 * argument alone, so that one rule never changes what another rule sees.
 */
export interface ArgumentView {
  /** @param names the arguments to read; null for all of them as one value. */
  readonly read: (names: ReadonlySet<string> | null, limits: CelValueLimits) => CelValue;
  /** The first bound that the named arguments exceed; null if there is none. */
  readonly problem: (names: ReadonlySet<string> | null, limits: CelValueLimits) => string | null;
}

interface ReadValue {
  readonly value: CelValue;
  readonly problem: string | null;
}

/** @param args parsed JSON, not trusted. */
export function createArgumentView(args: unknown): ArgumentView {
  const named = asFields(args);
  const byLimits = new Map<CelValueLimits, Map<string | null, ReadValue>>();

  /** One argument, or all of them (null); undefined if there is no such argument. */
  function readOne(name: string | null, limits: CelValueLimits): ReadValue | undefined {
    let known = byLimits.get(limits);
    if (known === undefined) byLimits.set(limits, known = new Map());
    let found = known.get(name);
    if (found === undefined) {
      if (name !== null && (named === null || !Object.hasOwn(named, name))) return undefined;
      const given = name === null ? args : named?.[name];
      known.set(name, found = readWith(createCelReader(limits), given));
    }
    return found;
  }

  return {
    read(names, limits) {
      if (names === null || named === null) return readOne(null, limits)?.value ?? null;
      const map = new Map<string, CelValue>();
      for (const name of names) {
        const found = readOne(name, limits);
        if (found !== undefined) map.set(name, found.value);
      }
      return map;
    },
    problem(names, limits) {
      for (const name of names === null || named === null ? [null] : names) {
        const problem = readOne(name, limits)?.problem ?? null;
        if (problem !== null) return problem;
      }
      return null;
    },
  };
}

function readWith(reader: CelReader, value: unknown): ReadValue {
  return { value: reader.read(value), problem: reader.problem() };
}
