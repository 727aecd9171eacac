export type LogLevel = "debug" | "info" | "warn" | "error";

/** The service's own log: one line per event, fields as JSON. Never a secret, never a payload. */
export type Log = (
  level: LogLevel,
  message: string,
  fields?: { readonly [name: string]: unknown },
) => void;
