import { GateError } from "../../model/errors.ts";

/**
 * Limits of one Deno KV commit: the bounds of the engine, with room for the encoding.
 *
 * @see Deno KV: 1,000 mutations, 819,200 bytes, 81,920 bytes of keys, 100 checks, 65,536 bytes a
 * value.
 */
export const KV_COMMIT = {
  mutationsMax: 1_000,
  bytesMax: 720_000,
  valueBytesMax: 64_000,
} as const;

const LOCKED_RETRY_MS_MAX = 2_000;

/**
 * Commits, and retries while SQLite reports a locked database.
 *
 * @throws {GateError} `ERR_STORE`
 */
export async function commitKv(
  operation: Deno.AtomicOperation,
): Promise<Deno.KvCommitResult | Deno.KvCommitError> {
  const giveUpAt = performance.now() + LOCKED_RETRY_MS_MAX;
  for (;;) {
    try {
      return await operation.commit();
    } catch (error) {
      const locked = error instanceof Error && error.message.includes("database is locked");
      if (!locked || performance.now() > giveUpAt) throw storeError("write", error);
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 20));
    }
  }
}

/** Runs a read, and turns a failure into an error with a code and a remedy. */
export async function readKv<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw storeError("read", error);
  }
}

/** Turns a failure of the engine into an error with a remedy. */
export function storeError(action: "open" | "read" | "write", error: unknown): unknown {
  if (error instanceof GateError || error instanceof RangeError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const remedy = REMEDIES.find(([pattern]) => pattern.test(reason))?.[1] ??
    "Look at the cause, then run `toolgate doctor`.";
  return new GateError("ERR_STORE", `Cannot ${action} the store: ${reason}`, {
    hint: remedy,
    cause: error,
  });
}

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/full/, "Free disk space; toolgate goes on by itself when it can write again."],
  [/locked|busy/, "Stop the other process that uses the store file; a store file has one writer."],
  [
    /not a database|malformed|corrupt/,
    "The store file is damaged: stop toolgate, keep the file, and restore a backup.",
  ],
  [/readonly|read-only|permission|NotCapable/i, "Give toolgate the right to write the store file."],
  [/closed|Bad resource/i, "The store was closed."],
];
