import type { CommandContext } from "./command.ts";
import { usageError } from "./usage_error.ts";

/**
 * The value of an option as one of the known words; undefined if the option is absent.
 *
 * @throws {GateError} `ERR_BAD_REQUEST` for another word.
 */
export function oneOf<Word extends string>(
  context: CommandContext,
  option: string,
  known: readonly Word[],
): Word | undefined {
  const text = context.text(option);
  if (text === undefined) return undefined;
  const word = known.find((word) => word === text);
  if (word !== undefined) return word;
  throw usageError(`Option "--${option}" is "${text}"`, `Use one of ${known.join(", ")}`);
}
