import type { Lane, PooledHost } from "./pooled_host.ts";

/** How many hosts of a lane one principal, and all principals together, may have. */
export interface LaneHostsMax {
  readonly ofOne: number;
  readonly ofAll: number;
}

/** The hosts that the pool has: how many of which kind, who gets which, and which end to make room. */
export interface HostRoster {
  /** Every host whose process has not ended yet. */
  readonly size: number;
  add(host: PooledHost): void;
  remove(host: PooledHost): void;
  count(state: PooledHost["state"]): number;
  /** Ready hosts that belong to nobody yet. */
  countFresh(): number;
  /** Starting hosts that belong to nobody yet. */
  countComing(): number;
  /** Hosts of this principal that will soon take a program without a new start. */
  countSoon(principalKey: string, lane: Lane): number;
  /** A ready host of this principal, else one that belongs to nobody yet, else null. */
  find(principalKey: string, lane: Lane): PooledHost | null;
  /** Ends the host that has been idle longest and belongs to somebody. @returns false if there is none */
  evictIdle(): boolean;
  /** Ends a host that belongs to nobody yet. @returns false if there is none */
  evictFresh(): boolean;
  /**
   * Tells whether this principal may have one more host of this lane. When the lane is full, an idle host
   * of it ends to make room.
   */
  admits(principalKey: string, lane: Lane, max: LaneHostsMax): boolean;
  endAll(): Promise<void>;
}

export function createHostRoster(): HostRoster {
  const hosts = new Set<PooledHost>();

  function countWhere(matches: (host: PooledHost) => boolean): number {
    let sum = 0;
    for (const host of hosts) if (matches(host)) sum++;
    return sum;
  }

  return {
    get size() {
      return hosts.size;
    },
    add: (host) => void hosts.add(host),
    remove: (host) => void hosts.delete(host),
    count: (state) => countWhere((host) => host.state === state),
    countFresh: () => countWhere(isFresh),
    countComing: () =>
      countWhere((host) => host.state === "starting" && host.principalKey === null),
    countSoon: (principalKey, lane) =>
      countWhere((host) =>
        host.principalKey === principalKey && host.lane === lane &&
        (host.state === "recycling" || host.state === "starting")
      ),
    find: (principalKey, lane) => findHost(hosts, principalKey, lane),
    evictIdle: () => retire(longestIdle(hosts)),
    evictFresh: () => retire([...hosts].find(isFresh)),
    admits(principalKey, lane, { ofOne, ofAll }) {
      const ofLane = [...hosts].filter((host) => host.lane === lane && host.state !== "dead");
      if (ofLane.filter((host) => host.principalKey === principalKey).length >= ofOne) return false;
      if (ofLane.length < ofAll) return true;
      // Somebody else's idle host is not a reason to wait.
      return retire(ofLane.find((host) => host.state === "ready"));
    },
    endAll: async () => void await Promise.all([...hosts].map((host) => host.end())),
  };
}

function isFresh(host: PooledHost): boolean {
  return host.state === "ready" && host.principalKey === null;
}

function findHost(hosts: Iterable<PooledHost>, principalKey: string, lane: Lane) {
  let fresh: PooledHost | null = null;
  for (const host of hosts) {
    if (host.state !== "ready" || host.lane !== lane) continue;
    if (host.principalKey === principalKey) return host;
    if (host.principalKey === null) fresh ??= host;
  }
  return fresh;
}

function longestIdle(hosts: Iterable<PooledHost>): PooledHost | undefined {
  let oldest: PooledHost | undefined;
  for (const host of hosts) {
    if (host.state !== "ready" || host.principalKey === null) continue;
    if (oldest === undefined || host.idleSinceMs < oldest.idleSinceMs) oldest = host;
  }
  return oldest;
}

function retire(host: PooledHost | undefined): boolean {
  host?.retire();
  return host !== undefined;
}
