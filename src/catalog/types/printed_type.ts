/** A printed type, and whether it needs parentheses before `[]`. */
export interface Printed {
  readonly text: string;
  readonly isUnion: boolean;
}

export function isUnknown(text: string): boolean {
  return /^(unknown|any)( \/\*|$)/.test(text);
}

/** Joins types with `|`, each once. */
export function union(parts: readonly Printed[]): Printed {
  const texts = [...new Set(parts.map((part) => part.text))];
  return { text: texts.join(" | "), isUnion: texts.length > 1 || parts.some((p) => p.isUnion) };
}

export function parenthesize(printed: Printed): string {
  return printed.isUnion ? `(${printed.text})` : printed.text;
}

/** A type that never needs parentheses. */
export function atom(text: string): Printed {
  return { text, isUnion: false };
}
