import { findEmails, findSecrets, isSecretName, type Span } from "./redact_detectors.ts";
import { compileRedactionPattern } from "./redact_pattern.ts";
import type { OutputRules } from "./policy_schema.ts";

/** Nested deeper than this nothing is looked at, so nothing is let through. */
const DEPTH_MAX = 400;
/** Characters that one result may have in all its texts; what comes after is not looked at either. */
const CHARACTERS_MAX = 134_217_728;

export interface RedactedResult {
  readonly value: unknown;
  /** How many pieces were taken out. */
  readonly redactions: number;
}

/**
 * Takes secrets, e-mail addresses and own patterns out of a JSON value, in texts and in names.
 *
 * Every detector is linear in the text. Parts that stay the same are shared with the input.
 */
export function redactResult(value: unknown, rules: OutputRules["redact"]): RedactedResult {
  const detectors = rules.map((rule): Detector => {
    if (rule === "secrets") return findSecrets;
    if (rule === "email") return findEmails;
    return compileRedactionPattern(rule.name, rule.pattern);
  });
  const pass: Pass = {
    detectors,
    hidesNamed: rules.includes("secrets"),
    characters: 0,
    redactions: 0,
  };
  const redacted = redactValue(pass, value, 0);
  return { value: redacted, redactions: pass.redactions };
}

type Detector = (text: string) => Span[];

interface Pass {
  readonly detectors: readonly Detector[];
  /** A value under a name such as `password` is a secret, whatever it looks like. */
  readonly hidesNamed: boolean;
  characters: number;
  redactions: number;
}

function redactValue(pass: Pass, value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(pass, value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEPTH_MAX) return replaceWhole(pass, "too-deep");
  return Array.isArray(value)
    ? redactList(pass, value, depth)
    : redactObject(pass, value as { readonly [key: string]: unknown }, depth);
}

function redactList(pass: Pass, list: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | null = null;
  for (let index = 0; index < list.length; index++) {
    const redacted = redactValue(pass, list[index], depth + 1);
    if (redacted === list[index]) continue;
    copy ??= [...list];
    copy[index] = redacted;
  }
  return copy ?? list;
}

function redactObject(
  pass: Pass,
  object: { readonly [key: string]: unknown },
  depth: number,
): unknown {
  const entries: [string, unknown][] = [];
  const names = new Set<string>();
  let isChanged = false;
  for (const key of Object.keys(object)) {
    const name = uniqueName(redactText(pass, key), names);
    const value = object[key];
    const redacted = pass.hidesNamed && isSecretName(key) && isSecretValue(value)
      ? replaceWhole(pass, "secret")
      : redactValue(pass, value, depth + 1);
    if (name !== key || redacted !== value) isChanged = true;
    names.add(name);
    entries.push([name, redacted]);
  }
  // fromEntries defines properties, so a key called __proto__ stays data.
  return isChanged ? Object.fromEntries(entries) : object;
}

function redactText(pass: Pass, text: string): string {
  pass.characters += text.length;
  if (pass.characters > CHARACTERS_MAX) return replaceWhole(pass, "too-large");
  const spans = pass.detectors.flatMap((detect) => detect(text));
  if (spans.length === 0) return text;
  spans.sort((a, b) => a.start - b.start || b.end - a.end);
  const pieces: string[] = [];
  let at = 0;
  for (const span of spans) {
    if (span.end <= at) continue;
    // A span that begins inside another one only lengthens it: no piece of either may stay.
    if (span.start >= at) {
      pieces.push(text.slice(at, span.start), marker(span.name));
      pass.redactions++;
    }
    at = span.end;
  }
  return pieces.join("") + text.slice(at);
}

function replaceWhole(pass: Pass, name: string): string {
  pass.redactions++;
  return marker(name);
}

function marker(name: string): string {
  return `[redacted:${name}]`;
}

function isSecretValue(value: unknown): boolean {
  return (typeof value === "string" && value.length > 0) || typeof value === "number";
}

function uniqueName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  let count = 2;
  while (taken.has(`${name}#${count}`)) count++;
  return `${name}#${count}`;
}
