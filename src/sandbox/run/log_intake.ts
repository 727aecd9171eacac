import type { ErrorCode } from "../../model/errors.ts";
import type { LogLine } from "../../model/execution.ts";
import { utf8Bytes } from "../../rpc/json_depth.ts";
import { LOG_ENTRIES_MAX } from "./program_message.ts";

/** Collects a program's log lines and the realm's notes about it, within bounds. */
export interface LogIntake {
  readonly lines: readonly LogLine[];
  /** @returns the code with which the execution must end; null if the line was taken */
  takeLog(level: string, text: string): ErrorCode | null;
  /** @returns the code with which the execution must end; null if the note was taken */
  takeNote(text: string): ErrorCode | null;
}

const LOG_LEVELS = new Set(["log", "info", "warn", "error", "debug"]);
const NOTES_MAX = 10;
const NOTE_CHARS_MAX = 2_000;

export function createLogIntake(logBytesMax: number): LogIntake {
  const lines: LogLine[] = [];
  let bytes = 0;
  let notes = 0;
  return {
    lines,
    takeLog(level, text) {
      if (!LOG_LEVELS.has(level)) return "ERR_SANDBOX_PROTOCOL";
      bytes += utf8Bytes(text);
      if (bytes > logBytesMax || lines.length >= LOG_ENTRIES_MAX + NOTES_MAX) {
        return "ERR_SANDBOX_LOG_SIZE";
      }
      lines.push({ level, text });
      return null;
    },
    takeNote(text) {
      if (++notes > NOTES_MAX || text.length > NOTE_CHARS_MAX) return "ERR_SANDBOX_PROTOCOL";
      lines.push({ level: "warn", text });
      return null;
    },
  };
}
