/** How much of a schema its printed type shows. */
export interface TypeBudget {
  /** Levels of objects inside objects; deeper ones are `object`. */
  readonly depthMax: number;
  readonly propertiesMax: number;
  readonly enumMax: number;
  readonly unionMax: number;
  /** Characters of the whole type, approximately. */
  readonly charsMax: number;
  /** Characters of a property's doc comment; 0 prints the type on one line without comments. */
  readonly docCharsMax: number;
  /** Puts {@linkcode OPEN_MARK} into objects that take other names, too. */
  readonly marksOpen?: boolean;
}

/** At the start of an object type whose schema does not say whether other names are allowed. */
export const OPEN_MARK = "/*open*/";
