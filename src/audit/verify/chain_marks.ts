/** Places at which a chain must have a certain head and root, because somebody signed or knows it. */
import type { ChainState } from "../chain/chain.ts";
import { type Checkpoint, openCheckpoint } from "../chain/checkpoint.ts";
import type { AuditProblemKind } from "./audit_report.ts";

export interface ChainVerifierOptions {
  readonly chain: string;
  readonly verifierKeys: readonly string[];
  /** Notes from outside the store; only those about this chain are looked at. */
  readonly anchors: readonly string[];
  /** What retention removed, if anything. */
  readonly trimmed: ChainState | null;
  /** The note over the newest record; null: the chain is an export that has none. */
  readonly seal: string | null;
  /** An export may end with records that no checkpoint covers: something else vouches for them. */
  readonly mayEndUnsigned?: boolean;
  /** Facts known otherwise: where a running log stands, what its kept state says. */
  readonly known: readonly KnownPlace[];
}

export interface KnownPlace {
  readonly size: number;
  readonly head: string;
  readonly root?: string;
  /** The calls under way at that place. */
  readonly open?: readonly string[];
  /** Who says so. */
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
