/** What a verification finds. */
export type AuditProblemKind =
  | "malformed" // a line that is not a canonical record
  | "edited" // a record whose hash is not what the next one says
  | "missing" // a number that is not there
  | "reordered"
  | "forged" // a consistent chain that is not the one that was signed
  | "truncated" // the chain ends before a note says it does
  | "unsigned" // no valid note where there must be one
  | "outcome" // a call that began and never ended
  | "payload"
  | "index" // the store finds records by wrong facts
  | "tampered"; // the log itself found a difference when it was opened

export interface AuditProblem {
  readonly kind: AuditProblemKind;
  readonly chain: string;
  /** The first record concerned; null when it is about the chain as a whole. */
  readonly seq: number | null;
  readonly message: string;
}

/** Numbers of the first and the last record. */
export type SeqRange = readonly [first: number, last: number];

export interface ChainReport {
  readonly chain: string;
  readonly records: number;
  readonly first: number | null;
  readonly last: number | null;
  /** Records that an anchor outside the store vouches for. */
  readonly anchored: SeqRange | null;
  /** Records behind the newest anchor that a signed note vouches for. */
  readonly unanchored: SeqRange | null;
  /** Records behind every signed note. */
  readonly unsigned: SeqRange | null;
  /** Calls under way when the chain was read. */
  readonly open: readonly string[];
  /** The first hundred. */
  readonly problems: readonly AuditProblem[];
  readonly problemCount: number;
}
