const LENGTH_MIN = 6;
const VALUES_MAX = 64;

/** Replaces secret values in texts that leave the process: errors, logs, status. */
export interface SecretMask {
  /** Remembers a value; a text such as `Bearer abc` also hides `abc` alone. */
  add(value: string): void;
  apply(text: string): string;
}

/** Makes a mask that knows no secret yet. Keeps the newest 64 values, so that rotation does not grow it. */
export function createSecretMask(): SecretMask {
  const values = new Set<string>();
  const remember = (value: string) => {
    if (value.length < LENGTH_MIN) return;
    values.delete(value);
    values.add(value);
    for (const oldest of values) {
      if (values.size <= VALUES_MAX) break;
      values.delete(oldest);
    }
  };
  return {
    add(value) {
      // The longest goes last in and first out, so that a part never splits the whole.
      for (const part of value.split(/[\s,;]+/)) remember(part);
      remember(value);
    },
    apply(text) {
      let masked = text;
      const longestFirst = [...values].sort((a, b) => b.length - a.length);
      for (const value of longestFirst) masked = masked.replaceAll(value, "***");
      return masked;
    },
  };
}
