/** An access token and its expiry. */
export interface AccessToken {
  readonly value: string;
  /** Milliseconds since the epoch; null if the server did not say. */
  readonly expiresAt: number | null;
}

export interface TokenCache {
  /** The kept token of a key, or a new one. Callers that ask at the same time share one fetch. */
  get(key: string): Promise<string>;
  /** Forgets a refused token, unless a newer one has replaced it. */
  drop(key: string, value: string): void;
}

/** A token is replaced this long before it expires, so that it cannot expire on the way. */
const MARGIN_MS = 30_000;
/** For tokens whose server does not say when they expire. */
const UNKNOWN_LIFE_MS = 300_000;
const ENTRIES_MAX = 1_000;

/** Keeps access tokens in memory; drops the oldest one above the bound. */
export function createTokenCache(
  fetchToken: (key: string) => Promise<AccessToken>,
  now: () => number = Date.now,
): TokenCache {
  const tokens = new Map<string, AccessToken>();
  const fetching = new Map<string, Promise<AccessToken>>();

  const isFresh = (token: AccessToken) => {
    const leftMs = token.expiresAt === null ? Infinity : token.expiresAt - now();
    return leftMs > MARGIN_MS;
  };
  const fetchOnce = async (key: string): Promise<AccessToken> => {
    const token = await fetchToken(key);
    const kept = { ...token, expiresAt: token.expiresAt ?? now() + UNKNOWN_LIFE_MS };
    tokens.delete(key);
    tokens.set(key, kept);
    for (const oldest of tokens.keys()) {
      if (tokens.size <= ENTRIES_MAX) break;
      tokens.delete(oldest);
    }
    return kept;
  };
  return {
    async get(key) {
      const known = tokens.get(key);
      if (known !== undefined && isFresh(known)) return known.value;
      let work = fetching.get(key);
      if (work === undefined) {
        work = fetchOnce(key).finally(() => fetching.delete(key));
        fetching.set(key, work);
      }
      return (await work).value;
    },
    drop(key, value) {
      if (tokens.get(key)?.value === value) tokens.delete(key);
    },
  };
}
