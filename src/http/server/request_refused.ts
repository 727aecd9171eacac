import type { ErrorReport } from "../../model/errors.ts";

/** Why the edge refuses a request before any handler has read it; carries the HTTP status. */
export class RequestRefused extends Error {
  override readonly name = "RequestRefused";
  readonly status: 408 | 413 | 429 | 503;
  readonly report: ErrorReport;

  constructor(status: RequestRefused["status"], report: ErrorReport) {
    super(report.message);
    this.status = status;
    this.report = report;
  }
}
