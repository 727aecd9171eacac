/** Checks that every backend makes; a failure is a bug of the caller, not a state of the store. */
import {
  type Change,
  type LogEntry,
  STORE_BODY_BYTES_MAX,
  STORE_CHANGES_MAX,
  STORE_KEY_BYTES_MAX,
  STORE_VALUE_BYTES_MAX,
} from "./store.ts";

/** @throws {RangeError} */
export function checkKey(key: string): void {
  if (key.length === 0 || key.length > STORE_KEY_BYTES_MAX || !/^[\x20-\x7e]+$/.test(key)) {
    throw new RangeError(
      `Cannot use "${
        key.slice(0, 80)
      }" as a key: it must be 1 to ${STORE_KEY_BYTES_MAX} printable ASCII characters`,
    );
  }
}

/** @throws {RangeError} */
export function checkChanges(changes: readonly Change[]): void {
  if (changes.length > STORE_CHANGES_MAX) {
    throw new RangeError(
      `Cannot make ${changes.length} changes at once: ${STORE_CHANGES_MAX} is the most`,
    );
  }
  const seen = new Set<string>();
  for (const change of changes) {
    checkKey(change.key);
    if (seen.has(change.key)) throw new RangeError(`Cannot change "${change.key}" twice at once`);
    seen.add(change.key);
  }
}

/** @throws {RangeError} */
export function checkValueBytes(key: string, bytes: number): void {
  if (bytes > STORE_VALUE_BYTES_MAX) {
    throw new RangeError(
      `Cannot store "${key}": ${bytes} bytes, ${STORE_VALUE_BYTES_MAX} is the most`,
    );
  }
}

/** @throws {RangeError} if the entries are not one consecutive run of one log. */
export function checkEntries(entries: readonly LogEntry[], beside: readonly Change[]): void {
  checkChanges(beside);
  if (beside.some((change) => change.expect !== undefined)) {
    throw new RangeError("Cannot expect a revision beside log entries");
  }
  const first = entries[0];
  if (first === undefined) throw new RangeError("Cannot append nothing");
  let ts = 0;
  for (const [index, entry] of entries.entries()) {
    if (entry.log !== first.log || entry.seq !== first.seq + index) {
      throw new RangeError("Cannot append entries that are not consecutive in one log");
    }
    if (!Number.isSafeInteger(entry.ts) || entry.ts < ts) {
      throw new RangeError(
        `Cannot append entry ${entry.seq} of "${entry.log}": its time goes back`,
      );
    }
    // A UTF-16 unit is at most three bytes of UTF-8: the exact count is needed only near the limit.
    if (
      entry.body.length * 3 > STORE_BODY_BYTES_MAX &&
      new TextEncoder().encode(entry.body).length > STORE_BODY_BYTES_MAX
    ) {
      throw new RangeError(`Cannot append entry ${entry.seq} of "${entry.log}": body too large`);
    }
    ts = entry.ts;
  }
}
