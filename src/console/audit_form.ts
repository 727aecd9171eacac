import type { AuditFilter } from "../audit/audit_query.ts";
import { readCalendarTime } from "../model/time/calendar_time.ts";

/** The audit page's filters as sent, so that the page can show them again. */
export interface AuditForm {
  /** `2026-04-01T12:00`, UTC; or empty. */
  readonly since: string;
  readonly until: string;
  readonly principal: string;
  readonly tool: string;
  readonly execution: string;
  readonly effect: string;
  readonly kind: string;
  /** Cursor of the page. */
  readonly after: string;
  /** The record shown in full, by `recordKey`. */
  readonly open: string;
}

/** Records on one page. */
export const AUDIT_PAGE_RECORDS = 50;

const FIELD_CHARACTERS_MAX = 500;

export function readAuditForm(field: (name: string) => string): AuditForm {
  const short = (name: string) => field(name).trim().slice(0, FIELD_CHARACTERS_MAX);
  return {
    since: short("since"),
    until: short("until"),
    principal: short("principal"),
    tool: short("tool"),
    execution: short("execution"),
    effect: short("effect"),
    kind: short("kind"),
    after: short("after"),
    open: short("open"),
  };
}

/** The filter of a form without its page, or the problem of the form. */
export function toAuditFilter(
  form: AuditForm,
): { readonly filter: AuditFilter } | { readonly problem: string } {
  const since = parseMoment(form.since);
  const until = parseMoment(form.until);
  if (since === "bad") return { problem: "“From” is not a time like 2026-04-01T12:00." };
  if (until === "bad") return { problem: "“Until” is not a time like 2026-04-01T12:00." };
  return {
    filter: {
      ...(since === null ? {} : { since }),
      ...(until === null ? {} : { until }),
      ...given("principal", form.principal),
      ...given("tool", form.tool),
      ...given("execution", form.execution),
      ...given("effect", form.effect),
      ...given("kind", form.kind),
    },
  };
}

/** The filled fields of a form as a query, without the page. */
export function auditQueryString(form: AuditForm): string {
  const { after: _after, open: _open, ...filters } = form;
  return new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== ""))
    .toString();
}

function given<Name extends string>(name: Name, value: string): { [key in Name]?: string } {
  return (value === "" ? {} : { [name]: value }) as { [key in Name]?: string };
}

/** Milliseconds since the epoch; a text without a zone is UTC. */
function parseMoment(text: string): number | null | "bad" {
  if (text === "") return null;
  const ms = readCalendarTime(text);
  return ms === null ? "bad" : Math.floor(ms);
}
