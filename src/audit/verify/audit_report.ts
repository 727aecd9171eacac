/** Kinds of problems that a verification finds. */
export type AuditProblemKind =
  | "malformed" // a line that is not a canonical record
  | "edited" // a record whose hash differs from `prev` of the next one
  | "missing" // a record number without a record
  | "reordered"
  | "forged" // a consistent chain that differs from the signed one
  | "truncated" // the chain ends earlier than a note says
  | "unsigned" // a required note is absent or invalid
  | "outcome" // a call that began and never ended
  | "payload"
  | "index" // the store has wrong labels for a record
  | "tampered"; // the log itself found a difference when it was opened

export interface AuditProblem {
  readonly kind: AuditProblemKind;
  readonly chain: string;
  /** The first affected record; null if the problem concerns the whole chain. */
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
  /** Records that an anchor outside the store covers. */
  readonly anchored: SeqRange | null;
  /** Records after the newest anchor that a signed note covers. */
  readonly unanchored: SeqRange | null;
  /** Records after the newest signed note. */
  readonly unsigned: SeqRange | null;
  /** Calls under way when the chain was read. */
  readonly open: readonly string[];
  /** The first 100 problems. */
  readonly problems: readonly AuditProblem[];
  readonly problemCount: number;
}
