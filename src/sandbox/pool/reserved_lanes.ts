import type { LaneHostsMax } from "./host_roster.ts";
import type { Lane } from "./pooled_host.ts";

/** Lanes whose hosts are made for one principal when it needs them. */
export type ReservedLane = Exclude<Lane, "common">;

/** Pause between two starts of such a lane, for any principals. */
const PAUSE_MS = { watched: 100, slow: 200 } as const;

/** Bounds on the hosts of each reserved lane; one principal cannot have a whole lane. */
export function laneHostsMax(places: number): { readonly [lane in ReservedLane]: LaneHostsMax } {
  const part = (divisor: number) => Math.max(1, Math.floor(places / divisor));
  return {
    watched: { ofOne: part(4), ofAll: part(2) },
    slow: { ofOne: Math.min(2, part(4)), ofAll: part(4) },
  };
}

/** Enforces a pause between the starts of each reserved lane. */
export interface LanePace {
  /** @returns false if the pause is not over; `onDue` is then called when it is */
  isDue(lane: ReservedLane): boolean;
  /** Notes that a host of this lane starts now. */
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
