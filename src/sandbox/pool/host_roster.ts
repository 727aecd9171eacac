import type { Lane, PooledHost } from "./pooled_host.ts";

/** How many hosts of a lane one principal, and all principals together, may have. */
export interface LaneHostsMax {
  readonly ofOne: number;
  readonly ofAll: number;
}

/** The hosts of the pool: counts them, assigns them to principals, and ends some to make room. */
export interface HostRoster {
  /** Every host whose process has not ended yet. */
  readonly size: number;
  add(host: PooledHost): void;
  remove(host: PooledHost): void;
  count(state: PooledHost["state"]): number;
  /** Ready hosts without a principal. */
  countFresh(): number;
  /** Starting hosts without a principal. */
  countComing(): number;
  /** Hosts of this principal that will soon take a program without a new start. */
  countSoon(principalKey: string, lane: Lane): number;
  /** A ready host of this principal, else one without a principal, else null. */
  find(principalKey: string, lane: Lane): PooledHost | null;
  /** Ends the host with a principal that has been idle longest. @returns false if there is none */
  evictIdle(): boolean;
  /** Ends a host without a principal. @returns false if there is none */
  evictFresh(): boolean;
  /**
   * Tells whether this principal may have one more host of this lane. In a full lane, an idle host
   * ends to make room.
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
      // An idle host of another principal ends instead of making this one wait.
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
