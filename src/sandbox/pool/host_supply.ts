/**
 * The supply of hosts: keeps some warm, starts missing ones, gives each to one principal only, and
 * ends hosts that are idle, surplus or worn out, or whose place is needed.
 *
 * Struck and watched programs get hosts of their own lane, made for their principal alone, small
 * and with low priority, so that they cannot destroy the common hosts.
 */
import type { KernelReport } from "../../rpc/protocol.ts";
import { createHostRoster } from "./host_roster.ts";
import {
  createHostStarter,
  type HostStarterOptions,
  type HostSupplyEvents,
} from "./host_starter.ts";
import type { Lane, PooledHost } from "./pooled_host.ts";
import { createLanePace, laneHostsMax, type ReservedLane } from "./reserved_lanes.ts";
import { createUseRate } from "./use_rate.ts";

export interface HostSupplyOptions extends HostStarterOptions {
  readonly hostsMax: number;
  /** Free memory of the machine, in megabytes; null if unknown. */
  readonly freeMemoryMb?: () => number | null;
}

export interface HostSupply {
  /** Resolves with the first host; rejects if none starts or a requirement is not met. */
  readonly firstReady: Promise<void>;
  readonly kernel: KernelReport | null;
  /** A ready host of this principal, or a common one without a principal; null if there is none. */
  take(principalKey: string, lane: Lane): PooledHost | null;
  /**
   * Starts the missing hosts.
   *
   * @param wants programs that may run now and have no host
   * @param places common hosts that may be started for them
   */
  provide(wants: readonly HostWant[], places: number): void;
  count(state: PooledHost["state"]): number;
  close(): Promise<void>;
}

/** The number of programs of a principal that wait for a host of a lane. */
export interface HostWant {
  readonly principalKey: string;
  readonly lane: Lane;
  readonly count: number;
}

const STARTS_AT_ONCE_MAX = 3;
/** Memory kept free for the rest of the machine. */
const RESERVE_MB = 256;

export function createHostSupply(options: HostSupplyOptions, events: HostSupplyEvents): HostSupply {
  const nowMs = () => performance.now();
  const roster = createHostRoster();
  const useRate = createUseRate(nowMs);
  const pace = createLanePace(nowMs, events.onChange);
  const starter = createHostStarter(options, { ...events, roster, usesPerMs: useRate.perMs });
  const { concurrentExecutionsMax, memoryMb } = options.limits;
  const reservedMax = laneHostsMax(Math.min(options.hostsMax, concurrentExecutionsMax));
  const freeMemoryMb = options.freeMemoryMb ?? systemFreeMemoryMb;
  let closed = false;

  function provide(wants: readonly HostWant[], places: number): void {
    if (closed) return;
    let common = 0;
    for (const { principalKey, lane, count } of wants) {
      // Waiting for a host that will soon be ready again is cheaper than a start.
      const missing = count - roster.countSoon(principalKey, lane);
      if (missing <= 0) continue;
      if (lane === "common") common += missing;
      else if (roster.admits(principalKey, lane, reservedMax[lane])) {
        startReserved(principalKey, lane);
      }
    }
    startCommon(Math.min(common, places));
  }

  /** @param needed common hosts that programs wait for now */
  function startCommon(needed: number): void {
    const wanted = needed + options.warm - roster.countComing() - roster.countFresh();
    for (let index = 0; index < wanted; index++) {
      if (roster.countComing() >= STARTS_AT_ONCE_MAX || !hasRoom(needed > 0)) return;
      starter.start("common", null);
    }
  }

  function startReserved(principalKey: string, lane: ReservedLane): void {
    if (!pace.isDue(lane)) return;
    // Warm hosts may fill a small pool, and a program of a reserved lane would then wait for ever.
    if (!hasRoom(true) && !roster.evictFresh()) return;
    pace.noteStart(lane);
    starter.start(lane, principalKey);
  }

  function hasRoom(somebodyWaits: boolean): boolean {
    const full = roster.size >= options.hostsMax || (roster.size > 0 && !memoryAllows());
    return !full || (somebodyWaits && roster.evictIdle());
  }

  function memoryAllows(): boolean {
    const free = freeMemoryMb();
    return free === null || free > RESERVE_MB + memoryMb;
  }

  provide([{ principalKey: "", lane: "common", count: options.warm === 0 ? 1 : 0 }], 1);
  return {
    firstReady: starter.firstReady,
    get kernel() {
      return starter.kernel;
    },
    take(principalKey, lane) {
      const host = roster.find(principalKey, lane);
      if (host !== null && lane === "common") useRate.note();
      return host;
    },
    provide,
    count: roster.count,
    async close() {
      closed = true;
      pace.close();
      await Promise.all([starter.close(), roster.endAll()]);
    },
  };
}

function systemFreeMemoryMb(): number | null {
  try {
    return Deno.systemMemoryInfo().available / 1_048_576;
  } catch {
    return null;
  }
}
