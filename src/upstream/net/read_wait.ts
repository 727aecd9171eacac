const WAIT_MS_MAX = 31 * 24 * 3_600_000;

/**
 * How long a server asks to wait, in milliseconds; null if it does not say.
 *
 * Reads `Retry-After`, else the headers that say when a rate limit resets: seconds from now, or
 * seconds or milliseconds since the epoch.
 *
 * @param now milliseconds since the epoch.
 * @see RFC 9110, section 10.2.3
 */
export function readWait(headers: Headers, now: number): number | null {
  const after = headers.get("retry-after")?.trim() ?? "";
  const waitMs = /^\d{1,10}(\.\d+)?$/.test(after)
    ? Number(after) * 1_000
    : after === ""
    ? resetWait(headers, now)
    : Date.parse(after) - now;
  if (waitMs === null || !Number.isFinite(waitMs)) return null;
  return Math.min(Math.max(0, waitMs), WAIT_MS_MAX);
}

function resetWait(headers: Headers, now: number): number | null {
  for (const name of ["ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"]) {
    const text = headers.get(name)?.trim() ?? "";
    if (!/^\d{1,13}(\.\d+)?$/.test(text)) continue;
    const value = Number(text);
    if (value > 1e11) return value - now;
    return value > 1e9 ? value * 1_000 - now : value * 1_000;
  }
  const seconds = /(?:^|[;,\s])t=(\d{1,9})/.exec(headers.get("ratelimit") ?? "")?.[1];
  return seconds === undefined ? null : Number(seconds) * 1_000;
}

/** With these statuses the server may accept the same request later. */
const BUSY_STATUSES = [413, 429, 503];

/**
 * Tells a program how long to wait before it repeats the call.
 *
 * @param who "API" or "server"
 * @param waitMs null if the server did not say how long
 */
export function adviseWait(
  who: string,
  status: number,
  waitMs: number | null,
): { readonly hint?: string; readonly retryAfterMs?: number } {
  if (waitMs !== null && BUSY_STATUSES.includes(status)) {
    const seconds = Math.ceil(waitMs / 1_000);
    return {
      hint: seconds === 0
        ? `The ${who} takes this call again now; repeat it`
        : `The ${who} takes this call again in ${seconds} s; wait, then repeat it`,
      retryAfterMs: waitMs,
    };
  }
  return status === 429
    ? { hint: `The ${who} takes fewer calls; wait, make fewer of them at once, then repeat it` }
    : {};
}
