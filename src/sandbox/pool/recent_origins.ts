import type { ProgramOrigin } from "./conduct.ts";

/** The principals, and their sessions, that sent programs within the last minute. */
export interface RecentOrigins {
  note(origin: ProgramOrigin): void;
  /** True if more than one principal was active. */
  hasOtherPrincipals(): boolean;
  /** True if more than one session of this principal was active. */
  hasOtherSessions(principalKey: string): boolean;
}

/** A principal that was active this recently keeps others from taking every place. */
const RECENT_MS = 60_000;
/** Sessions of one principal that are remembered. */
const SESSIONS_MAX = 100;

export function createRecentOrigins(nowMs: () => number): RecentOrigins {
  /** Principal → session → time of its last program, both in the order of those times. */
  const seenMs = new Map<string, Map<string | null, number>>();

  function forgetOld(now: number): void {
    for (const [key, sessions] of seenMs) {
      if (now - Math.max(...sessions.values()) < RECENT_MS) break;
      seenMs.delete(key);
    }
  }

  return {
    note({ principalKey, session }) {
      const now = nowMs();
      const sessions = seenMs.get(principalKey) ?? new Map<string | null, number>();
      moveToEnd(seenMs, principalKey, sessions);
      moveToEnd(sessions, session, now);
      for (const [oldest, at] of sessions) {
        if (now - at < RECENT_MS && sessions.size <= SESSIONS_MAX) break;
        sessions.delete(oldest);
      }
      forgetOld(now);
    },
    hasOtherPrincipals: () => seenMs.size > 1,
    hasOtherSessions: (principalKey) => (seenMs.get(principalKey)?.size ?? 0) > 1,
  };
}

function moveToEnd<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key);
  map.set(key, value);
}
