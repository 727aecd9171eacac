import type { AuditEvent } from "../../model/event.ts";

const REASON_CHARACTERS_MAX = 500;

/** Why a chain's writer refuses announcements, and the record about that afterwards. */
export interface Trouble {
  /** Null when the writer takes announcements. */
  reason(): string | null;
  /** Whether a commit failed and none has succeeded since. */
  isUnderWay(): boolean;
  /** Whether another process writes the chain: this one never writes again. */
  isFenced(): boolean;
  /** A commit failed. */
  begin(reason: string): void;
  /** The commit under way takes too long; null when that commit has ended. */
  stall(reason: string | null): void;
  /** Another process writes the chain. */
  fence(reason: string): void;
  /** An event was refused. */
  countRefused(): void;
  /** A commit succeeded. */
  end(): void;
  /** The record about the trouble, for the next batch; null without trouble. */
  describe(): AuditEvent | null;
}

export function createTrouble(
  deps: { readonly now: () => number; readonly log: (message: string) => void },
): Trouble {
  let failure: { readonly reason: string; readonly since: number; refused: number } | null = null;
  let stalled: string | null = null;
  let fenced = false;
  return {
    reason: () => failure?.reason ?? stalled,
    isUnderWay: () => failure !== null,
    isFenced: () => fenced,
    begin(reason) {
      if (failure === null) deps.log(`audit: ${reason}`);
      const { since, refused } = failure ?? { since: deps.now(), refused: 0 };
      failure = { reason, since, refused };
    },
    stall(reason) {
      stalled = reason;
      if (reason !== null) deps.log(`audit: ${reason}`);
    },
    fence(reason) {
      fenced = true;
      failure = { reason, since: deps.now(), refused: 0 };
      deps.log(`audit: ${reason}`);
    },
    countRefused() {
      if (failure !== null) failure.refused++;
    },
    end() {
      if (failure !== null) deps.log("audit: the store can be written again");
      failure = null;
    },
    describe() {
      if (failure === null) return null;
      const detail = {
        type: "audit.recovered",
        reason: failure.reason.slice(0, REASON_CHARACTERS_MAX).toWellFormed(),
        since: new Date(failure.since).toISOString(),
        refused: failure.refused,
      };
      return { kind: "admin", detail };
    },
  };
}
