import type { LaneHostsMax } from "./host_roster.ts";
import type { Lane } from "./pooled_host.ts";

/** Lanes whose hosts are made for one principal when it needs them. */
export type ReservedLane = Exclude<Lane, "common">;

/** Pause between two starts of such a lane, whoever they are for. */
const PAUSE_MS = { watched: 100, slow: 200 } as const;

/** Reserved lanes share some of the places, and no principal has all of a lane. */
export function laneHostsMax(places: number): { readonly [lane in ReservedLane]: LaneHostsMax } {
  const part = (divisor: number) => Math.max(1, Math.floor(places / divisor));
  return {
    watched: { ofOne: part(4), ofAll: part(2) },
    slow: { ofOne: Math.min(2, part(4)), ofAll: part(4) },
  };
}

/** Keeps the starts of each reserved lane apart. */
export interface LanePace {
  /** @returns false if it is too early: then `onDue` is called when it is worth asking again */
  isDue(lane: ReservedLane): boolean;
  /** A host of this lane starts now. */
  noteStart(lane: ReservedLane): void;
  close(): void;
}

export function createLanePace(nowMs: () => number, onDue: () => void): LanePace {
  const lastStartMs = { watched: -Infinity, slow: -Infinity };
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    isDue(lane) {
      const pauseMs = lastStartMs[lane] + PAUSE_MS[lane] - nowMs();
      if (pauseMs <= 0) return true;
      clearTimeout(timer);
      timer = setTimeout(onDue, Math.min(pauseMs, PAUSE_MS.watched));
      return false;
    },
    noteStart(lane) {
      lastStartMs[lane] = nowMs();
    },
    close: () => clearTimeout(timer),
  };
}
