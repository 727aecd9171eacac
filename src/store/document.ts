/**
 * Documents with a schema.
 *
 * Each read checks the value. A value that does not fit is an error and stays in the store. If it
 * counted as absent, the next write would replace it. If it were read in part, a check could be
 * lost (a key without its expiry, a bundle without its number).
 */
import type { z } from "zod";
import { describeIssues } from "../model/describe_issues.ts";
import { GateError } from "../model/errors.ts";
import type { Json } from "../model/json/json.ts";
import type { Change, Store, StoredEntry } from "./store.ts";

/** Texts for the operator about a document that cannot be used. */
export interface DocumentWords {
  /** A noun for the document: `the pins of a server`. */
  readonly name: string;
  /** What the operator should do about a value that does not fit. */
  readonly remedy: string;
}

/** A checked value, and its revision, for `expect` of a change. */
export interface StoredDocument<Value> {
  readonly value: Value;
  readonly revision: string;
}

/** One document: the kind's key with its parameters. */
export interface DocumentPlace<Value> {
  readonly key: string;
  /** @throws {GateError} `ERR_STORE` if the stored value does not fit. */
  read(store: Pick<Store, "get">): Promise<StoredDocument<Value> | null>;
  /** The change that writes the document; one `put` can take several changes. */
  set(value: Value, options?: Pick<Change, "expect" | "ttlMs">): Change;
  remove(options?: Pick<Change, "expect">): Change;
}

/** All documents of one kind. */
export interface DocumentKind<Parameters extends readonly string[], Value> {
  at(...parameters: Parameters): DocumentPlace<Value>;
  /**
   * The value of an entry that `list` found.
   *
   * @throws {GateError} `ERR_STORE` if the value does not fit.
   */
  valueOf(entry: StoredEntry): Value;
}

/**
 * Documents of one kind: `keyOf` of `keys.ts`, and the schema of their values.
 *
 * The schema only checks: a read returns the value as stored, so that a change by this version
 * keeps members that a newer version has added.
 */
export function document<Parameters extends readonly string[], Value>(
  keyOf: (...parameters: Parameters) => string,
  schema: z.ZodType<Value>,
  words: DocumentWords,
): DocumentKind<Parameters, Value> {
  function valueOf({ key, value }: StoredEntry): Value {
    const checked = schema.safeParse(value);
    if (checked.success) return value as Value;
    const state = describeIssues(checked.error.issues, "the value");
    throw new GateError(
      "ERR_STORE",
      `Cannot use ${words.name} as stored under "${key}": ${state}`,
      { hint: words.remedy },
    );
  }
  return {
    valueOf,
    at(...parameters) {
      const key = keyOf(...parameters);
      return {
        key,
        async read(store) {
          const entry = await store.get(key);
          return entry === null ? null : { value: valueOf(entry), revision: entry.revision };
        },
        set: (value, options = {}) => ({ ...options, key, value: value as Json }),
        remove: (options = {}) => ({ ...options, key, value: null }),
      };
    },
  };
}
