import type { Conduct, ProgramOrigin } from "./conduct.ts";
import type { RecentOrigins } from "./recent_origins.ts";

export interface PlacesDeps {
  /** Programs that run at once. */
  readonly placesMax: number;
  readonly conduct: Pick<Conduct, "standingOf" | "isMixed">;
  readonly recent: Pick<RecentOrigins, "hasOtherPrincipals" | "hasOtherSessions">;
}

/** The places of a pool, one for each program that runs, and how they are shared. */
export interface Places {
  readonly taken: number;
  readonly free: number;
  /**
   * Tells whether a program may start. While other principals are active, one principal gets at
   * most three quarters of the places; while it has several sessions, one session gets at most
   * three quarters of those. If some of its programs misbehave, it keeps a quarter for texts known
   * to end well.
   */
  admits(origin: ProgramOrigin): boolean;
  /** Takes a place for a program. @returns the function that frees the place */
  take(origin: ProgramOrigin): () => void;
}

interface Taken {
  readonly origin: ProgramOrigin;
  /** Whether its text was known to end well when it started. */
  readonly isKnown: boolean;
}

export function createPlaces({ placesMax, conduct, recent }: PlacesDeps): Places {
  const taken = new Set<Taken>();
  const isKnown = (origin: ProgramOrigin) => conduct.standingOf(origin) === "known";

  return {
    get taken() {
      return taken.size;
    },
    get free() {
      return placesMax - taken.size;
    },
    admits(origin) {
      if (taken.size >= placesMax) return false;
      const { principalKey } = origin;
      const used = countOf(taken, origin);
      const ownMax = shareOf(placesMax, recent.hasOtherPrincipals());
      if (used.all >= ownMax) return false;
      const hasOtherSessions = recent.hasOtherSessions(principalKey);
      if (used.ofSession >= shareOf(ownMax, hasOtherSessions)) return false;
      return used.unknown < shareOf(ownMax, conduct.isMixed(principalKey)) || isKnown(origin);
    },
    take(origin) {
      const place = { origin, isKnown: isKnown(origin) };
      taken.add(place);
      return () => void taken.delete(place);
    },
  };
}

/** The usable part of the places: a shared part keeps a quarter free for others. */
function shareOf(places: number, isShared: boolean): number {
  return isShared ? places - Math.floor(places / 4) : places;
}

/** The places that this principal has taken. */
function countOf(taken: Iterable<Taken>, { principalKey, session }: ProgramOrigin) {
  const count = { all: 0, ofSession: 0, unknown: 0 };
  for (const { origin, isKnown } of taken) {
    if (origin.principalKey !== principalKey) continue;
    count.all++;
    if (origin.session === session) count.ofSession++;
    if (!isKnown) count.unknown++;
  }
  return count;
}
