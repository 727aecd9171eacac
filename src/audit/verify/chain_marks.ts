/** Marks: sizes at which signed notes or known facts demand a certain head and root. */
import type { ChainState } from "../chain/chain.ts";
import { type Checkpoint, openCheckpoint } from "../chain/checkpoint.ts";
import type { AuditProblemKind } from "./audit_report.ts";

export interface ChainVerifierOptions {
  readonly chain: string;
  readonly verifierKeys: readonly string[];
  /** Notes from outside the store; notes about other chains are ignored. */
  readonly anchors: readonly string[];
  /** The state after the records that retention removed; null if none. */
  readonly trimmed: ChainState | null;
  /** The note over the newest record; null for an export, which has none. */
  readonly seal: string | null;
  /** Whether an export may end without a checkpoint, because other notes cover the last records. */
  readonly mayEndUnsigned?: boolean;
  /** Facts from other sources: the state of a running log, and the stored state. */
  readonly known: readonly KnownPlace[];
}

export interface KnownPlace {
  readonly size: number;
  readonly head: string;
  readonly root?: string;
  /** The calls under way at that size. */
  readonly open?: readonly string[];
  /** The source of the fact, for the report. */
  readonly what: string;
}

/** A size at which the chain must have a certain head and root. */
export interface Mark {
  readonly size: number;
  readonly head: string;
  readonly root: string | null;
  readonly open: readonly string[] | null;
  readonly what: string;
  readonly trust: "anchor" | "seal" | "known";
}

export function marksOf(
  options: ChainVerifierOptions,
  report: (kind: AuditProblemKind, seq: number | null, message: string) => void,
): Mark[] {
  const marks: Mark[] = [];
  const add = (checkpoint: Checkpoint, what: string, trust: Mark["trust"]) => {
    const { size, head, root } = checkpoint;
    marks.push({ size, head, root, open: null, what, trust });
  };
  for (const note of options.anchors) {
    const anchor = openCheckpoint(note, options.verifierKeys);
    if (anchor?.chain === options.chain) add(anchor, `the anchor of ${anchor.time}`, "anchor");
  }
  if (options.seal !== null) {
    const seal = openCheckpoint(options.seal, options.verifierKeys);
    if (seal === null || seal.chain !== options.chain) {
      report("unsigned", null, "The note over the newest record is not signed by a trusted key");
    } else add(seal, "the note over the newest record", "seal");
  }
  for (const { size, head, root = null, open = null, what } of options.known) {
    marks.push({ size, head, root, open, what, trust: "known" });
  }
  return marks;
}
