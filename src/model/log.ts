export type LogLevel = "debug" | "info" | "warn" | "error";

/**
 * The service's own log: one line per event, fields as JSON. It never holds secrets or payloads.
 */
export type Log = (
  level: LogLevel,
  message: string,
  fields?: { readonly [name: string]: unknown },
) => void;
