/** The tools that a program may list: server to tools. */
export type ProgramNames = readonly {
  readonly server: string;
  readonly tools: readonly string[];
}[];

/** @returns a function that renders names as JSON, once per array: a catalog has thousands */
export function createNamesRenderer(): (names: ProgramNames | null) => string {
  const rendered = new WeakMap<ProgramNames, string>();
  return (names) => {
    if (names === null) return "";
    let json = rendered.get(names);
    if (json === undefined) {
      json = JSON.stringify(names);
      rendered.set(names, json);
    }
    return json;
  };
}
