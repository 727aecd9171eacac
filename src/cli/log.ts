import type { Log, LogLevel } from "../model/log.ts";

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** The service's log on standard error: time, level, message, fields as JSON. */
export function createLog(
  deps: { readonly stderr: (text: string) => void; readonly now: () => number },
  least: LogLevel,
): Log {
  return (level, message, fields) => {
    if (ORDER.indexOf(level) < ORDER.indexOf(least)) return;
    const time = new Date(deps.now()).toISOString();
    const tail = fields === undefined ? "" : ` ${JSON.stringify(fields)}`;
    deps.stderr(`${time} ${level.toUpperCase()} ${message}${tail}\n`);
  };
}

/** The level in `$TOOLGATE_LOG`, or the default if the text is not a level. */
export function logLevelOf(text: string | undefined, otherwise: LogLevel): LogLevel {
  return ORDER.find((level) => level === text) ?? otherwise;
}
