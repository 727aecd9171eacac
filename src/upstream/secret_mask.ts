import type { Log } from "../model/log.ts";

/** Shorter values are not masked: masking them would garble every text. */
const WORD_CHARS_MIN = 6;
/** Shorter parts of a secret, such as the text after `Bearer`, are not masked alone. */
const PART_CHARS_MIN = 8;
/** In answers only longer values are masked: shorter ones may be there by chance. */
const ANSWER_CHARS_MIN = 16;
const VALUES_MAX = 64;

/** Replaces secret values in texts that leave the upstream side. */
export interface SecretMask {
  /** Remembers a value; a text such as `Bearer abc…` also hides `abc…` alone. */
  add(value: string): void;
  /** For errors, logs and status. */
  apply(text: string): string;
  /** For answers of tools, which may repeat their credentials. JSON stays JSON. */
  applyToAnswer(text: string): string;
}

/** Makes an empty mask. It keeps the newest 64 values, so that rotation does not grow it. */
export function createSecretMask(): SecretMask {
  const values = new Set<string>();
  const remember = (value: string, charsMin: number) => {
    if (value.length < charsMin) return;
    values.delete(value);
    values.add(value);
    for (const oldest of values) {
      if (values.size <= VALUES_MAX) break;
      values.delete(oldest);
    }
  };
  const replace = (text: string, charsMin: number): string => {
    let masked = text;
    // The longest first, so that a part never splits the whole.
    for (const value of [...values].sort((a, b) => b.length - a.length)) {
      if (value.length < charsMin) continue;
      masked = masked.replaceAll(value, "***").replaceAll(inJson(value), "***");
    }
    return masked;
  };
  return {
    add(value) {
      for (const part of value.split(/[\s,;]+/)) {
        remember(part, PART_CHARS_MIN);
        for (const password of passwordOf(part)) remember(password, PART_CHARS_MIN);
      }
      remember(value, WORD_CHARS_MIN);
    },
    apply: (text) => replace(text, WORD_CHARS_MIN),
    applyToAnswer: (text) => replace(text, ANSWER_CHARS_MIN),
  };
}

/** A value as it stands between the quotes of a JSON text. */
function inJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/**
 * A JSON value of the upstream with its secrets masked; the value itself if it has none.
 *
 * @param text the value as JSON, if the caller has it.
 */
export function maskJson<T>(
  mask: Pick<SecretMask, "applyToAnswer">,
  value: T,
  text = JSON.stringify(value),
): T {
  const masked = mask.applyToAnswer(text);
  return masked === text ? value : JSON.parse(masked) as T;
}

/** The password in a connection string: servers often repeat the password alone. */
function passwordOf(value: string): string[] {
  const { password = "" } = URL.parse(value) ?? {};
  if (password === "") return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

/** Whether a header, variable or option is named like something secret. */
export function isSecretName(name: string): boolean {
  return /key|token|secret|passw|credential|authorization|cookie/i.test(name);
}

/** Resolves a configured text. The mask remembers the text if it is a secret or holds one. */
export async function resolveMasked(
  mask: SecretMask,
  resolveSecrets: (text: string) => Promise<string>,
  name: string,
  text: string,
): Promise<string> {
  const value = await resolveSecrets(text);
  if (value !== text || isSecretName(name)) mask.add(value);
  return value;
}

/** A log that masks the secrets in its fields. */
export function maskedLog(log: Log, mask: SecretMask): Log {
  return (level, message, fields = {}) => {
    const shown = Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === "string" ? mask.apply(value) : value,
    ]);
    log(level, mask.apply(message), Object.fromEntries(shown));
  };
}
