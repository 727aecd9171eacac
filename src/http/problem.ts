import { PinMismatch } from "../catalog/pin_mismatch.ts";
import { type ErrorCode, type ErrorReport, reportError } from "../model/errors.ts";

/** The HTTP status of errors that end a request. A failed execution is answered with 200. */
export const STATUS_OF_CODE: { readonly [code in ErrorCode]?: number } = {
  ERR_BAD_REQUEST: 400,
  ERR_INVALID_ARGUMENTS: 400,
  ERR_CONFIG: 400,
  ERR_UNAUTHENTICATED: 401,
  ERR_FORBIDDEN: 403,
  ERR_POLICY_DENIED: 403,
  ERR_NOT_FOUND: 404,
  ERR_TOOL_NOT_FOUND: 404,
  ERR_TOOL_UNAVAILABLE: 409,
  ERR_CHANGED: 409,
  ERR_BUSY: 429,
  ERR_LIMIT_REACHED: 429,
  ERR_UPSTREAM: 502,
  ERR_UPSTREAM_UNREACHABLE: 502,
  ERR_UPSTREAM_RESULT: 502,
  ERR_UPSTREAM_TIMEOUT: 504,
  ERR_AUDIT_UNAVAILABLE: 503,
  ERR_SANDBOX_UNAVAILABLE: 503,
  ERR_STORE: 503,
};

/**
 * An error as a problem document.
 *
 * @see RFC 9457
 */
export function problem(error: unknown): Response {
  const more = error instanceof PinMismatch ? { pin: error.diff.pin, diff: error.diff } : {};
  return problemOf(reportError(error), undefined, more);
}

export function problemOf(
  report: ErrorReport,
  status = STATUS_OF_CODE[report.code] ?? 500,
  /** Extension members besides those of the error. */
  more: { readonly [member: string]: unknown } = {},
): Response {
  const headers = new Headers({ "content-type": "application/problem+json" });
  if (report.retryAfterMs !== undefined) {
    headers.set("retry-after", String(Math.max(1, Math.ceil(report.retryAfterMs / 1000))));
  }
  const body = {
    type: `urn:toolgate:error:${report.code}`,
    title: report.message,
    status,
    detail: report.hint,
    ...report,
    ...more,
  };
  return new Response(JSON.stringify(body), { status, headers });
}
