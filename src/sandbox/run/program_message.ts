import type { Limits } from "../../model/limits.ts";
import type { ProgramMessage } from "../../rpc/protocol.ts";

/** Levels of arrays and objects that arguments and results may have. */
export const NESTING_MAX = 200;
export const LOG_ENTRIES_MAX = 2_000;
const TIMERS_MAX = 1_000;

/** The message that brings the program to its host, with the limits that the realm enforces. */
export function programMessage(
  program: Pick<ProgramMessage, "code" | "names" | "seed">,
  limits: Limits,
): ProgramMessage {
  return {
    code: program.code,
    names: program.names,
    seed: program.seed,
    realm: {
      toolCallsMax: limits.toolCallsMax,
      argumentCharsMax: limits.toolArgumentBytesMax,
      windowChars: windowChars(limits),
      resultCharsMax: limits.toolResultBytesMax,
      logCharsMax: limits.logBytesMax,
      logEntriesMax: LOG_ENTRIES_MAX,
      timersMax: TIMERS_MAX,
      nestingMax: NESTING_MAX,
    },
  };
}

/** Bound on the UTF-16 units of arguments in open calls. */
export function windowChars(limits: Limits): number {
  return limits.toolArgumentBytesMax * 2;
}

/** The longest frame that a run with these limits needs, in bytes. */
export function frameBytesMax(limits: Limits): number {
  const chars = Math.max(
    limits.toolResultBytesMax,
    windowChars(limits) + limits.toolArgumentBytesMax,
    limits.codeBytesMax * 2,
  );
  return chars * 3 + 8_388_608;
}
