import { GateError } from "../../model/errors.ts";

/** The engine's code of an error, such as `23505`; empty if it has none. */
export function postgresCode(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

/** Turns a failure of the database or the connection into an error with a code and a remedy. */
export function postgresError(action: "open" | "read" | "write", error: unknown): unknown {
  if (error instanceof GateError || error instanceof RangeError) return error;
  const code = postgresCode(error);
  const reason = error instanceof Error ? error.message || code : String(error);
  const remedy = REMEDIES.find(([pattern]) => pattern.test(`${code} ${reason}`))?.[1] ??
    "Look at the cause, then run `toolgate doctor`.";
  return new GateError("ERR_STORE", `Cannot ${action} the store: ${reason}`, {
    hint: remedy,
    cause: error,
  });
}

const REMEDIES: readonly (readonly [RegExp, string])[] = [
  [/^53100|disk full|No space/i, "Free disk space on the database server."],
  [/^28|password|authentication/i, "Check user and password of the store's URL."],
  [/^3D000/, "Create the database that the store's URL names."],
  [/^42501|permission/i, "Grant the database user the right to create and write tables."],
  [/^25006|read-only/i, "Name the primary, or every host of the cluster, in the store's URL."],
  [/CONN|ECONN|closed|timeout/i, "Start the database server, or check the store's URL."],
];
