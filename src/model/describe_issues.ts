import type { z } from "zod";

const PLACES_MAX = 5;
const NAMES_MAX = 5;
const NAME_CHARACTERS_MAX = 60;

/**
 * What is wrong with input that a stranger sent, in a few words however much is wrong: the text goes back
 * to him, and into logs.
 *
 * @param whole what to call the input where a finding is about all of it.
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
