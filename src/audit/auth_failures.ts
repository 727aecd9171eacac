import type { ErrorCode } from "../model/errors.ts";
import type { AuditActor, AuditEvent } from "../model/event.ts";

/** One rejected request. */
export interface AuthFailure {
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
  /** The caller, if the credential was valid but did not grant access. */
  readonly actor?: AuditActor;
}

export interface AuthFailures {
  /** Resolves when the failure is recorded, or counted. */
  record(failure: AuthFailure): Promise<void>;
  /** Records the failures that were only counted so far. */
  close(): Promise<void>;
}

export const AUTH_FAILURE_LIMITS = { recordsMax: 100, everyMs: 10_000 } as const;
const PATH_CHARACTERS_MAX = 200;

/**
 * Records failed authentications: one record each up to a bound per time span, then one record with
 * the number of the rest. A caller without a credential must not be able to fill the store.
 */
export function createAuthFailures(
  deps: {
    readonly append: (event: AuditEvent) => Promise<unknown>;
    readonly onError: (error: unknown) => void;
  },
  limits: { readonly recordsMax: number; readonly everyMs: number } = AUTH_FAILURE_LIMITS,
): AuthFailures {
  let left = limits.recordsMax;
  let more = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;

  async function endSpan(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    left = limits.recordsMax;
    if (more === 0) return;
    const detail = { more };
    more = 0;
    await deps.append({ kind: "auth.fail", detail });
  }

  return {
    async record({ path, code, message, actor }) {
      if (timer === null) {
        timer = setTimeout(() => {
          endSpan().catch(deps.onError);
        }, limits.everyMs);
        Deno.unrefTimer(Number(timer));
      }
      if (left === 0) {
        more++;
        return;
      }
      left--;
      await deps.append({
        kind: "auth.fail",
        ...(actor === undefined ? {} : { actor }),
        err: { code, message },
        detail: { path: path.slice(0, PATH_CHARACTERS_MAX), reason: message },
      });
    },
    close: endSpan,
  };
}
