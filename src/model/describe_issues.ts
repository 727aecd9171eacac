import type { z } from "zod";

const PLACES_MAX = 5;
const NAMES_MAX = 5;
const NAME_CHARACTERS_MAX = 60;

/**
 * Describes the problems of untrusted input. The text goes to the sender and into logs, so its
 * length is bounded however many problems there are.
 *
 * @param whole name of the input, for a problem of the input as a whole.
 */
export function describeIssues(issues: readonly z.core.$ZodIssue[], whole: string): string {
  const places = issues.slice(0, PLACES_MAX).map((issue) => {
    const place = issue.path.slice(0, PLACES_MAX).map((step) => shorten(String(step))).join(".");
    return `${place || whole}: ${messageOf(issue)}`;
  });
  const more = issues.length - places.length;
  return places.join("; ") + (more > 0 ? `; and ${more} more` : "");
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== "unrecognized_keys") return issue.message.slice(0, 300).toWellFormed();
  const names = issue.keys.slice(0, NAMES_MAX).map((name) => JSON.stringify(shorten(name)));
  const more = issue.keys.length - names.length;
  return `Unrecognized key${issue.keys.length === 1 ? "" : "s"}: ${names.join(", ")}` +
    (more > 0 ? ` and ${more} more` : "");
}

function shorten(name: string): string {
  if (name.length <= NAME_CHARACTERS_MAX) return name;
  return `${name.slice(0, NAME_CHARACTERS_MAX).toWellFormed()}…`;
}
