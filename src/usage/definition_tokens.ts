/** Counts the tokens of many texts, a slice at a time, and remembers each for as long as its thing lives. */
export interface DefinitionCounter<T extends object> {
  /** Tokens of all together; an estimate. Other work goes on between slices. */
  count(things: readonly T[]): Promise<number>;
}

/** Things that are counted before other work gets its turn. */
const SLICE = 50;

export function createDefinitionCounter<T extends object>(deps: {
  readonly render: (thing: T) => string;
  readonly countTokens: (text: string) => number;
}): DefinitionCounter<T> {
  const known = new WeakMap<T, number>();
  return {
    async count(things) {
      let tokens = 0;
      let counted = 0;
      for (const thing of things) {
        let own = known.get(thing);
        if (own === undefined) {
          own = deps.countTokens(deps.render(thing));
          known.set(thing, own);
          if (++counted % SLICE === 0) await new Promise<void>((resolve) => setImmediate(resolve));
        }
        tokens += own;
      }
      return tokens;
    },
  };
}
