import type { Realm } from "./realm.ts";

/** `console`: every line becomes a log message, within the log budget of the execution. */
export function installConsole(realm: Realm): void {
  "use strict";
  const { p, host } = realm;
  const { join, push } = p;
  let charsUsed = 0;
  let entries = 0;
  let indent = "";
  const counts = new p.Map<string, number>();
  const starts = new p.Map<string, number>();

  function write(level: string, text: string): void {
    if (realm.finished) return;
    const line = indent === "" ? text : indent + p.join(p.split(text, "\n"), "\n" + indent);
    const limits = realm.settings.realm;
    if (
      entries >= limits.logEntriesMax ||
      charsUsed + line.length > limits.logCharsMax
    ) {
      realm.terminate(
        "ERR_SANDBOX_LOG_SIZE",
        entries >= limits.logEntriesMax
          ? "The program logged more than " + limits.logEntriesMax + " lines"
          : "The program logged more than " + limits.logCharsMax + " bytes",
        "Log less; return what matters as the result.",
      );
    }
    host.send("l", 0, level, line, "");
    entries++;
    charsUsed += line.length;
  }

  function format(values: readonly unknown[]): string {
    const parts: string[] = [];
    let index = 0;
    if (values.length > 1 && typeof values[0] === "string") {
      index = fill(values[0], values, parts);
    }
    for (; index < values.length; index++) push(parts, realm.describe(values[index]));
    return join(parts, " ");
  }

  /**
   * Replaces the placeholders of a text (`%s`, `%d` …) by values.
   *
   * @returns index of the first unused value
   * @see Console Standard, section 2.2
   */
  function fill(text: string, values: readonly unknown[], parts: string[]): number {
    let used = 1;
    let filled = "";
    let from = 0;
    let at = p.indexOf(text, "%");
    while (at >= 0 && at + 1 < text.length) {
      const kind = text[at + 1]!;
      filled += p.slice(text, from, at);
      if (kind === "%") filled += "%";
      else if (used < values.length && p.includes("sdifoOjc", kind)) {
        filled += fillOne(kind, values[used++]);
      } else filled += "%" + kind;
      from = at + 2;
      at = p.indexOf(text, "%", from);
    }
    push(parts, filled + p.slice(text, from));
    return used;
  }

  function fillOne(kind: string, value: unknown): string {
    if (kind === "c") return "";
    if (!p.includes("dif", kind) || typeof value === "bigint") return realm.describe(value);
    const number = typeof value === "number" || typeof value === "string" ? +value : NaN;
    return "" + (kind === "i" ? (number < 0 ? -p.floor(-number) : p.floor(number)) : number);
  }
  const logger = (level: string) => (...values: unknown[]) => write(level, format(values));
  const label = (name: unknown) => (name === undefined ? "default" : p.slice("" + name, 0, 100));
  const elapsed = (name: string) => {
    const start = p.mapGet(starts, name);
    return start === undefined
      ? ""
      : name + ": " + p.floor(realm.host.monotonicMs() - start) + " ms";
  };

  const methods: Record<string, unknown> = p.create(null);
  methods.log = logger("log");
  methods.info = logger("info");
  methods.warn = logger("warn");
  methods.error = logger("error");
  methods.debug = logger("debug");
  methods.trace = logger("debug");
  methods.table = logger("log");
  methods.dir = (value: unknown) => write("log", realm.describe(value));
  methods.assert = (condition: unknown, ...values: unknown[]) => {
    if (!condition) write("error", "Assertion failed: " + format(values));
  };
  methods.group = (...values: unknown[]) => {
    if (values.length > 0) write("log", format(values));
    if (indent.length < 40) indent += "  ";
  };
  methods.groupCollapsed = methods.group;
  methods.groupEnd = () => {
    indent = p.slice(indent, 2);
  };
  methods.count = (name?: unknown) => {
    const key = label(name);
    realm.needStack();
    const next = (p.mapGet(counts, key) ?? 0) + 1;
    write("log", key + ": " + next);
    if (p.mapSize(counts) < 1_000) p.mapSet(counts, key, next);
  };
  methods.countReset = (name?: unknown) => void p.mapDelete(counts, label(name));
  methods.time = (name?: unknown) => {
    if (p.mapSize(starts) < 1_000) p.mapSet(starts, label(name), realm.host.monotonicMs());
  };
  methods.timeLog = (name?: unknown) => write("log", elapsed(label(name)));
  methods.timeEnd = (name?: unknown) => {
    const key = label(name);
    realm.needStack();
    write("log", elapsed(key));
    p.mapDelete(starts, key);
  };
  methods.clear = () => {};
  const keys = p.ownKeys(methods);
  for (let index = 0; index < keys.length; index++) p.freeze(methods[keys[index] as string]);
  realm.define("console", p.freeze(methods));
}
