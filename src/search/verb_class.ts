import { stem } from "./analyze.ts";

/**
 * Sorts what a tool does, and what a query asks for, into five classes: among tools about the same
 * thing, "remove a record" means the one that deletes.
 */

const WORDS = {
  create: "create add new make insert post launch start open register issue generate provision " +
    "order invite onboard upload write put publish schedule send push attach enable turn set " +
    "book buy run trigger",
  read: "get read show view fetch retrieve check see display describe lookup find download " +
    "export inspect verify",
  list: "list all every browse enumerate which search query",
  update: "update edit change modify patch set rename replace configure adjust turn enable " +
    "disable assign put rotate roll close move",
  delete: "delete remove clear purge destroy drop revoke cancel erase unset detach evict block " +
    "invalidate",
} as const;

type VerbClass = keyof typeof WORDS;

const CLASSES = Object.keys(WORDS) as VerbClass[];

/** Stem to a bit set of classes. */
const bitsByStem = new Map<string, number>();
CLASSES.forEach((name, index) => {
  for (const word of WORDS[name].split(" ")) {
    const term = stem(word);
    bitsByStem.set(term, (bitsByStem.get(term) ?? 0) | (1 << index));
  }
});

const READ = 1 << CLASSES.indexOf("read");
const LIST = 1 << CLASSES.indexOf("list");

const BY_METHOD: ReadonlyMap<string, VerbClass> = new Map([
  ["POST", "create"],
  ["PUT", "update"],
  ["PATCH", "update"],
  ["DELETE", "delete"],
]);

/**
 * The class of a tool as one bit; 0 if it is not known.
 *
 * The name decides, then the method of its HTTP operation, then the first words of its description.
 */
export function toolVerb(
  nameTerms: readonly string[],
  method: string | null,
  summaryTerms: readonly string[],
): number {
  const byName = firstBits(nameTerms);
  if (byName !== 0) return lowestBit(byName);
  const byMethod = method === null ? undefined : BY_METHOD.get(method);
  if (byMethod !== undefined) return 1 << CLASSES.indexOf(byMethod);
  return lowestBit(firstBits(summaryTerms.slice(0, 1)));
}

const QUERY_TERMS_MAX = 12;

/** The classes that a query may mean, as a bit set; 0 if it has no verb among its first words. */
export function queryVerbs(terms: readonly string[]): number {
  return firstBits(terms.slice(0, QUERY_TERMS_MAX));
}

/** How well a tool's class fits: 1 the same, .3 list for read or read for list, -1 another. */
export function verbFit(wanted: number, verb: number): number {
  if (wanted === 0 || verb === 0) return 0;
  if ((wanted & verb) !== 0) return 1;
  const isNear = (verb === LIST && (wanted & READ) !== 0) ||
    (verb === READ && (wanted & LIST) !== 0);
  return isNear ? 0.3 : -1;
}

function firstBits(terms: readonly string[]): number {
  for (const term of terms) {
    const bits = bitsByStem.get(term);
    if (bits !== undefined) return bits;
  }
  return 0;
}

function lowestBit(bits: number): number {
  return bits & -bits;
}
