/**
 * Decides which programs may use the common hosts, by how programs ended before.
 *
 * A strike is an end by a limit or a cancellation that destroyed the host. It counts first against
 * the text of the program. Only different texts strike a session, so that one bad program, however
 * often it is sent, says nothing about the other programs of its session. An attacker who changes
 * the text every time strikes the session; one who also changes the session strikes the principal.
 * The only effect on a principal: its texts that are not known to end well no longer take common
 * hosts.
 */
import type { FinishedRun } from "../run/run_program.ts";

/** The standing of a program, which decides where it runs. */
export type Standing =
  /** Its text ended well before. */
  | "known"
  /** Its text is not known to end well; its session and principal have few strikes. */
  | "new"
  /** Its text is not known to end well; its session or principal has many strikes. */
  | "watched"
  /** Its text hit limits again and again. */
  | "struck";

/** The principal, session and text of a program. */
export interface ProgramOrigin {
  readonly principalKey: string;
  /** Session or task, as the client names it; null if it names none. */
  readonly session: string | null;
  readonly codeSha256: string;
}

export interface Conduct {
  standingOf(origin: ProgramOrigin): Standing;
  /** True if programs of this principal misbehaved and others ended well, all within a minute. */
  isMixed(principalKey: string): boolean;
  /** A program was stopped by a limit or by its client, and its host had to be destroyed. */
  strike(origin: ProgramOrigin, cause: "limit" | "cancelled"): void;
  /** A program ended within its limits, with or without an error of its own. */
  endedWell(origin: ProgramOrigin): void;
}

/** Strikes are forgotten this long after the last of them. */
const STRIKES_MS = 60_000;
/** A text that ended well stays known for this long. */
const KNOWN_MS = 600_000;
/**
 * Bound on the texts, the sessions and the principals remembered; the oldest are forgotten first.
 */
const ENTRIES_MAX = 10_000;
/**
 * Points of a strike. An end within the limits removes one, so a busy text survives rare failures.
 */
const LIMIT_POINTS = 10;
/** A cancelled program also costs a host, but usually its client only lost patience. */
const CANCEL_POINTS = 5;
/** A text with this many points runs in the slow lane. */
const CODE_POINTS_MAX = 2 * LIMIT_POINTS;
/** With this many points by different texts of a session, its new texts are watched. */
const SESSION_POINTS_MAX = 4 * LIMIT_POINTS;
/** The same bound for all sessions of a principal together. */
const PRINCIPAL_POINTS_MAX = 12 * LIMIT_POINTS;

export function createConduct(now: () => number): Conduct {
  const codes = createLedger(now);
  const sessions = createLedger(now);
  const principals = createLedger(now);

  return {
    standingOf(origin) {
      const code = codes.read(codeKey(origin));
      if (code.points >= CODE_POINTS_MAX) return "struck";
      if (code.points < LIMIT_POINTS && code.sinceGoodMs < KNOWN_MS) return "known";
      const isRestless = sessions.read(sessionKey(origin)).points >= SESSION_POINTS_MAX ||
        principals.read(origin.principalKey).points >= PRINCIPAL_POINTS_MAX;
      return isRestless ? "watched" : "new";
    },
    isMixed(principalKey) {
      const { points, sinceGoodMs } = principals.read(principalKey);
      return points > 0 && sinceGoodMs < STRIKES_MS;
    },
    strike(origin, cause) {
      const points = cause === "limit" ? LIMIT_POINTS : CANCEL_POINTS;
      const isFirst = codes.read(codeKey(origin)).points === 0;
      codes.add(codeKey(origin), points);
      if (!isFirst) return;
      sessions.add(sessionKey(origin), points);
      principals.add(origin.principalKey, points);
    },
    endedWell(origin) {
      // One good text, sent again and again, must not remove the strikes of other texts.
      const isFirst = codes.read(codeKey(origin)).sinceGoodMs >= KNOWN_MS;
      codes.takeOff(codeKey(origin), 1);
      sessions.takeOff(sessionKey(origin), isFirst ? 1 : 0);
      principals.takeOff(origin.principalKey, isFirst ? 1 : 0);
    },
  };
}

/** Records in the conduct how a program ended. */
export function noteEnd(
  conduct: Pick<Conduct, "strike" | "endedWell">,
  origin: ProgramOrigin,
  { clean, outcome }: FinishedRun,
): void {
  const code = outcome.error?.code ?? "";
  if (!clean && code.startsWith("ERR_SANDBOX_")) conduct.strike(origin, "limit");
  else if (outcome.status === "cancelled") conduct.strike(origin, "cancelled");
  else conduct.endedWell(origin);
}

function codeKey({ principalKey, codeSha256 }: ProgramOrigin): string {
  return `${codeSha256} ${principalKey}`;
}

function sessionKey({ principalKey, session }: ProgramOrigin): string {
  return JSON.stringify([principalKey, session]);
}

interface Ledger {
  read(key: string): { readonly points: number; readonly sinceGoodMs: number };
  add(key: string, points: number): void;
  takeOff(key: string, points: number): void;
}

interface Account {
  readonly points: number;
  readonly struckAtMs: number;
  readonly goodAtMs: number;
}

const NOTHING: Account = { points: 0, struckAtMs: -Infinity, goodAtMs: -Infinity };

/** Accounts by key, in the order of their last change. */
function createLedger(now: () => number): Ledger {
  const accounts = new Map<string, Account>();
  const sinceMs = (atMs: number) => now() - atMs;

  function read(key: string): Account {
    const account = accounts.get(key) ?? NOTHING;
    return sinceMs(account.struckAtMs) < STRIKES_MS ? account : { ...account, points: 0 };
  }

  function write(key: string, account: Account): void {
    accounts.delete(key);
    accounts.set(key, account);
    for (const [oldest, { struckAtMs, goodAtMs }] of accounts) {
      const isOver = sinceMs(struckAtMs) >= STRIKES_MS && sinceMs(goodAtMs) >= KNOWN_MS;
      if (!isOver && accounts.size <= ENTRIES_MAX) break;
      accounts.delete(oldest);
    }
  }

  return {
    read(key) {
      const { points, goodAtMs } = read(key);
      return { points, sinceGoodMs: sinceMs(goodAtMs) };
    },
    add(key, points) {
      const account = read(key);
      write(key, { ...account, points: account.points + points, struckAtMs: now() });
    },
    takeOff(key, points) {
      const account = read(key);
      write(key, { ...account, points: Math.max(0, account.points - points), goodAtMs: now() });
    },
  };
}
