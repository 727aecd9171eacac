/** Counts tokens of many things in slices; remembers each count as long as the thing exists. */
export interface DefinitionCounter<T extends object> {
  /** An estimate of the tokens of all things together. Other work runs between slices. */
  count(things: readonly T[]): Promise<number>;
}

/** Things counted before other work may run. */
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
