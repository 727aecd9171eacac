/**
 * How many tokens a text costs a model, as an estimate.
 *
 * @returns about the number of `o200k` tokens.
 */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4);
}
