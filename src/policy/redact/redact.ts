import type { OutputRules } from "../file/schema.ts";
import { findEmails, findSecrets } from "./detectors.ts";
import { isFieldSchema, isLabel, isSchemaWord } from "./field_schema.ts";
import { secretOfHeader } from "./headers.ts";
import { compileRedactionPattern } from "./pattern.ts";
import { isSecretValue, rememberNameKinds, type SecretNameKind } from "./secret_name.ts";
import type { Span } from "./span.ts";

/** Deeper values are not examined, so they are replaced. */
const DEPTH_MAX = 400;
/**
 * Characters that one result may have in all its texts; later texts are not examined, but replaced.
 */
const CHARACTERS_MAX = 134_217_728;
/** How many field names are cached for one result, because rows repeat them. */
const NAMES_MAX = 4_096;
/** General names of spans: the name of a token form in the same place wins. */
const GENERAL_NAMES: readonly string[] = ["bearer-token", "secret"];

export interface RedactedResult {
  readonly value: unknown;
  /** How many pieces were redacted. */
  readonly redactions: number;
}

/**
 * Redacts secrets, e-mail addresses and the operator's patterns in texts and names of a JSON value.
 *
 * Every detector is linear in the text. The result shares unchanged parts with the input. Lists and
 * objects keep their structure: under the name of a secret, the texts and numbers in them are
 * redacted.
 */
export function redactResult(value: unknown, rules: OutputRules["redact"]): RedactedResult {
  const kindOf = rememberNameKinds();
  const detectors = rules.map((rule): Detector => {
    if (rule === "secrets") return (text) => findSecrets(text, kindOf);
    if (rule === "email") return findEmails;
    return compileRedactionPattern(rule.name, rule.pattern);
  });
  const pass: Pass = {
    detectors,
    numberDetectors: detectors.filter((_, index) => typeof rules[index] !== "string"),
    kindOf: rules.includes("secrets") ? kindOf : null,
    names: new Map(),
    characters: 0,
    redactions: 0,
  };
  const redacted = redactValue(pass, value, null, 0);
  return { value: redacted, redactions: pass.redactions };
}

type Detector = (text: string) => Span[];

/** A text that is only a mark. */
const MARK = /^\[redacted:[^\[\]]{1,64}\]$/;

interface Pass {
  readonly detectors: readonly Detector[];
  /**
   * The operator's patterns: a number cannot look like a token, but may look like a card number.
   */
  readonly numberDetectors: readonly Detector[];
  /** A value under a name such as `password` is a secret in any form. */
  readonly kindOf: ((name: string) => SecretNameKind | null) | null;
  readonly names: Map<string, FieldName>;
  characters: number;
  redactions: number;
}

interface FieldName {
  readonly redacted: string;
  readonly redactions: number;
  readonly kind: SecretNameKind | null;
  readonly isLabel: boolean;
}

/** @param under what the name of this field, or of a field around it, says. */
function redactValue(
  pass: Pass,
  value: unknown,
  under: SecretNameKind | null,
  depth: number,
): unknown {
  if (typeof value === "string" || typeof value === "number") {
    if (under !== null && isSecretValue(under, value)) return redactNamed(pass, value, under);
    return typeof value === "string" ? redactText(pass, value) : redactNumber(pass, value);
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEPTH_MAX) return replaceWhole(pass, "too-deep");
  return Array.isArray(value)
    ? redactList(pass, value, under, depth)
    : redactObject(pass, value as { readonly [key: string]: unknown }, under, depth);
}

function redactList(
  pass: Pass,
  list: readonly unknown[],
  under: SecretNameKind | null,
  depth: number,
): readonly unknown[] {
  let copy: unknown[] | null = null;
  for (let index = 0; index < list.length; index++) {
    const redacted = redactValue(pass, list[index], under, depth + 1);
    if (redacted === list[index]) continue;
    copy ??= [...list];
    copy[index] = redacted;
  }
  return copy ?? list;
}

function redactObject(
  pass: Pass,
  object: { readonly [key: string]: unknown },
  under: SecretNameKind | null,
  depth: number,
): unknown {
  const keys = Object.keys(object);
  let copy: [string, unknown][] | null = null;
  let areNamesChanged = false;
  const isSchema = under !== null &&
    isFieldSchema(Object.getOwnPropertyDescriptor(object, "type")?.value, object["$ref"]);
  const named = pass.kindOf === null ? null : kindOfNamedValue(pass, object);
  for (const key of keys) {
    const field = fieldName(pass, key);
    pass.redactions += field.redactions;
    const value = object[key];
    const around = field.isLabel || isSchema && isSchemaWord(key) ? null : under;
    const kind = field.kind === "secret"
      ? field.kind
      : around ?? field.kind ?? (/^value$/i.test(key) ? named : null);
    const redacted = redactValue(pass, value, kind, depth + 1);
    if (field.redacted !== key) areNamesChanged = true;
    if (copy === null && redacted === value && field.redacted === key) continue;
    copy ??= keys.slice(0, keys.indexOf(key)).map((before) => [before, object[before]]);
    copy.push([field.redacted, redacted]);
  }
  if (copy === null) return object;
  if (areNamesChanged) makeNamesUnique(copy);
  // fromEntries defines properties, so a key called __proto__ stays data.
  return Object.fromEntries(copy);
}

/** `{"name": "DB_PASSWORD", "value": "…"}`: the form of variables, headers and cookies in many answers. */
function kindOfNamedValue(
  pass: Pass,
  object: { readonly [key: string]: unknown },
): SecretNameKind | null {
  for (const label of ["name", "key", "Name", "Key"]) {
    const name = Object.hasOwn(object, label) ? object[label] : undefined;
    if (typeof name === "string" && name.length <= 80) return fieldName(pass, name).kind;
  }
  return null;
}

function fieldName(pass: Pass, name: string): FieldName {
  const known = pass.names.get(name);
  if (known !== undefined) return known;
  const before = pass.redactions;
  const redacted = redactText(pass, name);
  const redactions = pass.redactions - before;
  pass.redactions = before;
  const field = {
    redacted,
    redactions,
    kind: pass.kindOf?.(redacted) ?? null,
    isLabel: isLabel(name),
  };
  if (pass.names.size < NAMES_MAX) pass.names.set(name, field);
  return field;
}

/** Redacts a whole text or number under the name of a secret; a known token form gives the name. */
function redactNamed(pass: Pass, value: string | number, kind: SecretNameKind): string {
  if (typeof value === "number") return replaceWhole(pass, "secret");
  if (MARK.test(value)) return value;
  const place = kind === "header" ? secretOfHeader(value, true) : null;
  if (place !== null && place.start > 0) {
    const { start, end } = place;
    const hidden = redactNamed(pass, value.slice(start, end), "secret");
    return value.slice(0, start) + hidden + value.slice(end);
  }
  const before = pass.redactions;
  const text = redactText(pass, value);
  if (MARK.test(text)) return text;
  pass.redactions = before;
  return replaceWhole(pass, "secret");
}

function redactNumber(pass: Pass, value: number): unknown {
  if (pass.numberDetectors.length === 0) return value;
  const text = String(value);
  const name = pass.numberDetectors.flatMap((detect) => detect(text))[0]?.name;
  return name === undefined ? value : replaceWhole(pass, name);
}

function redactText(pass: Pass, text: string): string {
  pass.characters += text.length;
  if (pass.characters > CHARACTERS_MAX) return replaceWhole(pass, "too-large");
  let spans: Span[] = [];
  for (const detect of pass.detectors) {
    const found = detect(text);
    if (found.length > 0) spans = spans.length === 0 ? found : [...spans, ...found];
  }
  if (spans.length === 0) return text;
  if (spans.length > 1) {
    spans.sort((a, b) => a.start - b.start || b.end - a.end || rank(a) - rank(b));
  }
  let redacted = "";
  let at = 0;
  for (const { start, end, name, quote = "" } of spans) {
    if (end <= at) continue;
    // A span that begins inside another one only lengthens it, so that no piece of either stays.
    if (start >= at) {
      redacted += text.slice(at, start) + quote + marker(name) + quote;
      pass.redactions++;
    }
    at = end;
  }
  return redacted + text.slice(at);
}

function rank({ name, quote }: Span): number {
  return quote !== undefined ? -2 : GENERAL_NAMES.indexOf(name);
}

function replaceWhole(pass: Pass, name: string): string {
  pass.redactions++;
  return marker(name);
}

function marker(name: string): string {
  return `[redacted:${name}]`;
}

/** Adds a number to names that became equal. */
function makeNamesUnique(entries: [string, unknown][]): void {
  const taken = new Set<string>();
  for (const entry of entries) {
    const [name] = entry;
    let count = 1;
    while (taken.has(entry[0])) entry[0] = `${name}#${++count}`;
    taken.add(entry[0]);
  }
}
