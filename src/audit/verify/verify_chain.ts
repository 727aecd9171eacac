/**
 * Checks one chain, record by record, oldest first.
 *
 * A record is trusted if its hash leads to a signed note: a checkpoint record, the seal over the
 * newest record, or an anchor from outside. An attacker without a key can change a record and every
 * later hash, but not the notes.
 */
import type { AuditRecord } from "../../model/event.ts";
import { GENESIS, hashLine, needsOutcome } from "../audit_record.ts";
import { openCheckpoint } from "../chain/checkpoint.ts";
import { createMerkleTree, hashLeaf, type MerkleTree } from "../chain/merkle.ts";
import { parseRecord } from "../chain/parse_record.ts";
import type { AuditProblem, AuditProblemKind, ChainReport, SeqRange } from "./audit_report.ts";
import { type ChainVerifierOptions, type Mark, marksOf } from "./chain_marks.ts";

const PROBLEMS_MAX = 100;
/** Stands for the hash of an unknown previous record: there is nothing to compare. */
const UNKNOWN = "";

export class ChainVerifier {
  readonly #options: ChainVerifierOptions;
  readonly #problems: AuditProblem[] = [];
  #problemCount = 0;
  readonly #marks: readonly Mark[];
  readonly #marksBySize: ReadonlyMap<number, readonly Mark[]>;
  readonly #open = new Map<string, number>();
  /** Calls that the last checkpoint names as under way. */
  #underWay: ReadonlySet<string> = new Set();
  #first: number | null = null;
  #next = 0;
  #head = GENESIS;
  #ts = 0;
  /** null once the start or a record is missing; then only hashes connect records to the notes. */
  #tree: MerkleTree | null = createMerkleTree();
  #records = 0;
  #signedTo = 0;
  #anchoredTo = 0;
  #checkpointSeq = -1;
  /** The first record that no note has confirmed yet. */
  #confirmed = 0;
  /** A record that the next one does not link to: the record after both shows which one changed. */
  #suspect: { seq: number; nextHash: string } | null = null;
  #forgedReported = false;

  constructor(options: ChainVerifierOptions) {
    this.#options = options;
    this.#marks = marksOf(options, (kind, seq, message) => this.#report(kind, seq, message));
    this.#marksBySize = Map.groupBy(this.#marks, (mark) => mark.size);
  }

  /**
   * @param place of the line, for the report.
   * @returns the record, or null if the line is not a record.
   */
  feed(line: string, place: string = "A line"): AuditRecord | null {
    const record = this.#parse(line, place);
    if (record === null) {
      this.#tree = null;
      this.#next++;
      this.#head = UNKNOWN;
      return null;
    }
    this.#records++;
    if (this.#first === null) this.#begin(record);
    const isInOrder = this.#checkNumber(record);
    const lineHash = hashLine(line);
    this.#checkLink(record, lineHash);
    this.#checkTime(record);
    this.#checkCheckpoint(record);
    this.#follow(record);
    this.#tree?.append(hashLeaf(line));
    this.#head = isInOrder ? lineHash : UNKNOWN;
    this.#next = Math.max(this.#next, record.seq + 1);
    this.#checkMarks();
    return record;
  }

  /** Adds a problem that another check found. */
  report(kind: AuditProblemKind, seq: number | null, message: string): void {
    this.#report(kind, seq, message);
  }

  finish(): ChainReport {
    this.#settleSuspect(null);
    for (const mark of this.#marks) {
      if (mark.size <= this.#next) continue;
      this.#report(
        "truncated",
        this.#next,
        `The chain ends before record ${this.#next}, but ${mark.what} covers ${mark.size} records`,
      );
    }
    this.#checkOutcomes();
    this.#checkEnd();
    const { chain } = this.#options;
    const first = this.#first;
    const range = (from: number, to: number): SeqRange | null =>
      first === null || to <= Math.max(first, from) ? null : [Math.max(first, from), to - 1];
    const signedTo = Math.max(this.#signedTo, this.#anchoredTo);
    return {
      chain,
      records: this.#records,
      first,
      last: first === null ? null : this.#next - 1,
      anchored: range(0, this.#anchoredTo),
      unanchored: range(this.#anchoredTo, signedTo),
      unsigned: range(signedTo, this.#next),
      open: [...this.#open.keys()],
      problems: this.#problems.toSorted(compareProblems),
      problemCount: this.#problemCount,
    };
  }

  /** Reports records after the newest note: an attacker without a key can have written them. */
  #checkEnd(): void {
    const { seal, mayEndUnsigned = false } = this.#options;
    if (this.#records === 0) return;
    const signedTo = Math.max(this.#signedTo, this.#anchoredTo);
    if (seal !== null) {
      if (this.#signedTo >= this.#next) return;
      this.#report("unsigned", this.#signedTo, "Records that no signed note covers");
    } else if (!mayEndUnsigned && signedTo < this.#next && this.#checkpointSeq !== this.#next - 1) {
      const from = Math.max(signedTo, this.#first ?? 0);
      const message = `No signed checkpoint covers records ${from} to ${this.#next - 1}`;
      this.#report("unsigned", from, message);
    }
  }

  #report(kind: AuditProblemKind, seq: number | null, message: string): void {
    this.#problemCount++;
    if (this.#problems.length >= PROBLEMS_MAX) return;
    this.#problems.push({ kind, chain: this.#options.chain, seq, message });
  }

  #parse(line: string, place: string): AuditRecord | null {
    const record = parseRecord(line, this.#options.chain);
    if (typeof record !== "string") return record;
    this.#report("malformed", this.#next, `${place} ${record}`);
    return null;
  }

  #begin(record: AuditRecord): void {
    this.#first = record.seq;
    const { trimmed } = this.#options;
    if (record.seq === 0) return;
    this.#next = record.seq;
    this.#head = record.prev;
    this.#tree = null;
    this.#confirmed = record.seq;
    if (trimmed !== null && trimmed.size === record.seq) {
      this.#tree = trimmed.tree.copy();
      this.#head = trimmed.head;
    } else if (trimmed === null || trimmed.size < record.seq) {
      if (this.#options.seal !== null) {
        const until = record.seq - 1;
        this.#report("missing", 0, `Records 0 to ${until} are gone without a signed statement`);
      }
    }
  }

  /** @returns whether the record comes after all earlier ones, with or without a gap. */
  #checkNumber(record: AuditRecord): boolean {
    const { seq } = record;
    if (seq === this.#next) return true;
    const isLate = seq < this.#next;
    if (isLate) this.#reportLate(seq);
    else this.#reportMissing(this.#next, seq - 1);
    this.#tree = null;
    this.#suspect = null;
    this.#head = UNKNOWN;
    return !isLate;
  }

  #reportMissing(from: number, to: number): void {
    const which = from === to ? `Record ${from} is` : `Records ${from} to ${to} are`;
    this.#report("missing", from, `${which} not there`);
  }

  /** A record that seemed missing but comes later was moved. */
  #reportLate(seq: number): void {
    const missed = this.#problems.findIndex((one) => one.kind === "missing" && one.seq === seq);
    if (missed !== -1) {
      this.#problems.splice(missed, 1);
      this.#problemCount--;
    }
    this.#report("reordered", seq, `Record ${seq} comes after record ${this.#next - 1}`);
  }

  #checkLink(record: AuditRecord, lineHash: string): void {
    this.#settleSuspect(record);
    if (record.prev === this.#head || this.#head === UNKNOWN) return;
    if (record.seq === this.#first) {
      this.#report("edited", record.seq, `Record ${record.seq} does not follow what was trimmed`);
    } else {
      this.#suspect = { seq: record.seq - 1, nextHash: lineHash };
    }
  }

  /** Decides by the record after the two: if it links to the second, the first was changed. */
  #settleSuspect(after: AuditRecord | null): void {
    const suspect = this.#suspect;
    if (suspect === null) return;
    this.#suspect = null;
    const nextIsWhole = after === null
      ? this.#marks.some((mark) => mark.head === suspect.nextHash)
      : after.prev === suspect.nextHash;
    const seq = nextIsWhole ? suspect.seq : suspect.seq + 1;
    this.#report("edited", seq, `Record ${seq} is not as it was written`);
  }

  #checkTime(record: AuditRecord): void {
    const ts = Date.parse(record.ts);
    if (ts < this.#ts) {
      this.#report("edited", record.seq, `Record ${record.seq} is older than the one before`);
    }
    this.#ts = ts;
  }

  #checkCheckpoint(record: AuditRecord): void {
    if (record.kind !== "checkpoint") return;
    const { note, open } = record.detail ?? {};
    const checkpoint = typeof note === "string"
      ? openCheckpoint(note, this.#options.verifierKeys)
      : null;
    this.#underWay = new Set(Array.isArray(open) ? open.map(String) : []);
    if (checkpoint === null || checkpoint.chain !== record.chain) {
      const message = `Checkpoint ${record.seq} is not signed by a trusted key`;
      return this.#report("unsigned", record.seq, message);
    }
    if (checkpoint.size !== record.seq || !this.#agrees(checkpoint)) {
      return this.#reportForged(`checkpoint ${record.seq}`, record.seq);
    }
    this.#signedTo = record.seq;
    this.#confirmed = record.seq;
    this.#checkpointSeq = record.seq;
  }

  #agrees(mark: { head: string; root: string | null }): boolean {
    if (mark.head !== this.#head) return false;
    return this.#tree === null || mark.root === null || mark.root === this.#tree.root();
  }

  /** Reports only the first note that disagrees, because all later notes disagree too. */
  #reportForged(what: string, size: number): void {
    if (this.#forgedReported || this.#suspect !== null || this.#problems.some(explains)) return;
    this.#forgedReported = true;
    const last = size - 1;
    const which = this.#confirmed === last
      ? `Record ${last}`
      : `Of records ${this.#confirmed} to ${last} one`;
    this.#report("forged", this.#confirmed, `${which} is not what ${what} was signed over`);
  }

  #checkMarks(): void {
    for (const mark of this.#marksBySize.get(this.#next) ?? []) {
      if (!this.#agrees(mark)) {
        this.#reportForged(mark.what, mark.size);
        continue;
      }
      this.#checkOpen(mark);
      this.#confirmed = Math.max(this.#confirmed, mark.size);
      if (mark.trust === "anchor") this.#anchoredTo = Math.max(this.#anchoredTo, mark.size);
      if (mark.trust === "seal") this.#signedTo = Math.max(this.#signedTo, mark.size);
    }
  }

  #checkOpen({ open, what, size }: Mark): void {
    if (open === null) return;
    const isSame = open.length === this.#open.size && open.every((call) => this.#open.has(call));
    if (!isSame) this.#report("index", size - 1, `Other calls were under way than ${what} says`);
  }

  #follow(record: AuditRecord): void {
    if (record.kind === "call.outcome" && record.call !== undefined) this.#open.delete(record.call);
    if (needsOutcome(record)) this.#open.set(record.call as string, record.seq);
    const { type, tampered } = record.kind === "admin" ? record.detail ?? {} : {};
    if (type === "audit.open" && typeof tampered === "string") {
      this.#report("tampered", record.seq, `The log was opened and found: ${tampered}`);
    }
  }

  #checkOutcomes(): void {
    for (const [call, seq] of this.#open) {
      // A call that the last checkpoint names, or that began after it, may still be under way.
      if (this.#underWay.has(call) || seq > this.#checkpointSeq) continue;
      this.#open.delete(call);
      this.#report("outcome", seq, `Call ${call} (record ${seq}) has no outcome`);
    }
  }
}

/** Sorts causes before their consequences, then by record number. */
function compareProblems(a: AuditProblem, b: AuditProblem): number {
  const rank = (kind: AuditProblemKind) => kind === "outcome" ? 2 : kind === "unsigned" ? 1 : 0;
  return rank(a.kind) - rank(b.kind) || (a.seq ?? Infinity) - (b.seq ?? Infinity) || 0;
}

/** Problems after which no note can agree any more. */
function explains({ kind }: AuditProblem): boolean {
  return kind === "edited" || kind === "missing" || kind === "malformed" || kind === "reordered";
}
