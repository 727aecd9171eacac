/**
 * The bytes that one person may add to the store in a day: payloads, records and kept results.
 *
 * The budget refuses new work. It never stops running work, whose calls and end are always recorded
 * and counted.
 */
import { GateError } from "../model/errors.ts";
import { personKey, type Principal } from "../model/principal.ts";
import { keyOf } from "../store/keys.ts";
import type { Store } from "../store/store.ts";

type Person = Pick<Principal, "issuer" | "sub">;

export interface StorageBudget {
  /**
   * @param onUsedUp called at a person's first refusal in a day; later ones leave no trace in the
   * store.
   * @throws {GateError} `ERR_LIMIT_REACHED` if the person's budget is used up.
   */
  admit(person: Person, onUsedUp?: (freesAt: string) => void): Promise<void>;
  /** Counts bytes that the store keeps for a person. */
  charge(person: Person, bytes: number): void;
  /** Writes the counts that are not in the store yet. */
  close(): Promise<void>;
}

export interface StorageBudgetDeps {
  readonly store: Pick<Store, "add">;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly bytesPerDayMax: number;
}

interface Account {
  readonly day: number;
  /** Bytes in the store at the last read or write. */
  known: number;
  knownAtMs: number;
  /** Bytes counted in this process since then. */
  pending: number;
  isReported: boolean;
}

const DAY_MS = 86_400_000;
/** A counter outlives its day by this, so that replicas with other clocks still find it. */
const GRACE_MS = 3_600_000;
/** Pending bytes are written at the next request, or when they reach this size. */
const PENDING_MAX = 1_048_576;
const ACCOUNTS_MAX = 10_000;
/** How long to trust a sum while this process counts nothing; other replicas count, too. */
const BELIEVED_MS = 2_000;

export function createStorageBudget(deps: StorageBudgetDeps): StorageBudget {
  const accounts = new Map<string, Account>();
  return {
    async admit(person, onUsedUp) {
      const key = personKey(person);
      const account = accountOf(deps, accounts, key);
      const isNews = account.pending > 0 || deps.now() - account.knownAtMs > BELIEVED_MS;
      if (isNews) await write(deps, key, account);
      if (account.known + account.pending < deps.bytesPerDayMax) return;
      const endsAt = (account.day + 1) * DAY_MS;
      const freesAt = new Date(endsAt).toISOString().replace(".000Z", "Z");
      if (!account.isReported) onUsedUp?.(freesAt);
      account.isReported = true;
      throw usedUp(deps, account, freesAt);
    },
    charge(person, bytes) {
      const key = personKey(person);
      const account = accountOf(deps, accounts, key);
      account.pending += bytes;
      if (account.pending >= PENDING_MAX) void write(deps, key, account);
    },
    async close() {
      for (const [key, account] of accounts) {
        if (account.pending > 0) await write(deps, key, account);
      }
    },
  };
}

/** A person's account of today; writes and replaces one of an earlier day. */
function accountOf(deps: StorageBudgetDeps, accounts: Map<string, Account>, key: string): Account {
  const day = Math.floor(deps.now() / DAY_MS);
  const known = accounts.get(key);
  if (known?.day === day) return known;
  if (known !== undefined) void write(deps, key, known);
  const account = { day, known: 0, knownAtMs: -Infinity, pending: 0, isReported: false };
  const oldest = accounts.size >= ACCOUNTS_MAX ? accounts.entries().next().value : undefined;
  if (oldest !== undefined) {
    accounts.delete(oldest[0]);
    void write(deps, ...oldest);
  }
  accounts.set(key, account);
  return account;
}

/** Never throws: the audit log reports a failed store, and the bytes stay pending here. */
async function write(deps: StorageBudgetDeps, key: string, account: Account): Promise<void> {
  const bytes = account.pending;
  account.pending = 0;
  account.known += bytes;
  const endsAt = (account.day + 1) * DAY_MS;
  const ttlMs = Math.max(1, endsAt - deps.now()) + GRACE_MS;
  try {
    const counter = keyOf.storedBytes(key, String(account.day));
    account.known = (await deps.store.add(counter, bytes, { ttlMs })).value;
    account.knownAtMs = deps.now();
  } catch {
    account.known -= bytes;
    account.pending += bytes;
  }
}

function usedUp(deps: StorageBudgetDeps, account: Account, freesAt: string): GateError {
  const bytes = account.known + account.pending;
  return new GateError(
    "ERR_LIMIT_REACHED",
    `Nothing was started: what you have stored today (arguments, results, programs and records, ` +
      `${bytes} bytes) is over the limit of ${deps.bytesPerDayMax} bytes until ${freesAt}`,
    {
      hint: "Try again after that time, or ask the operator to raise limits.storedBytesPerDayMax",
      retryAfterMs: Math.max(1, (account.day + 1) * DAY_MS - deps.now()),
    },
  );
}
