import type { ProgramOrigin } from "./conduct.ts";

/** Whose programs came within the last minute: of which principals, and of which of their sessions. */
export interface RecentOrigins {
  note(origin: ProgramOrigin): void;
  /** More than one principal was here. */
  hasOtherPrincipals(): boolean;
  /** More than one session of this principal was here. */
  hasOtherSessions(principalKey: string): boolean;
}

/** A principal that was here this recently keeps others from taking every place. */
const RECENT_MS = 60_000;
/** Sessions of one principal that are told apart for this. */
const SESSIONS_MAX = 100;

export function createRecentOrigins(nowMs: () => number): RecentOrigins {
  /** Principal to session to when it came, both in the order of their last program. */
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
