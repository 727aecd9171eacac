/**
 * Functions of conditions that the CEL library has in a laxer form: it takes `""` for 0, 30 February for
 * 2 March, and counts some functions of texts in UTF-16 units where `size` counts code points. A condition
 * decides about what somebody else wrote, so a text that says no value has none.
 *
 * @see CEL language definition, "Standard Definitions"
 */
import type { ASTNode, Environment } from "@marcbachmann/cel-js";
import { readTimestamp } from "../model/calendar_time.ts";
import { childrenOf } from "./cel_nodes.ts";

const PREFIX = "strict_";
const SYNC = { async: false };
const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const TIMESTAMP = "google.protobuf.Timestamp";
/** The first and the last millisecond of the years 1 to 9999. */
const TIMESTAMP_MIN_MS = -62_135_596_800_000;
const TIMESTAMP_MAX_MS = 253_402_300_799_999;

const FUNCTIONS: ReadonlySet<string> = new Set(["int", "double", "timestamp"]);
const METHODS: ReadonlySet<string> = new Set([
  ...["indexOf", "lastIndexOf", "substring", "trim"],
]);

/** Lets a parsed condition call the strict functions; the library has no way to replace its own. */
export function useStrictFunctions(node: ASTNode): void {
  if (node.op === "call" && FUNCTIONS.has(node.args[0])) node.args[0] = PREFIX + node.args[0];
  else if (node.op === "rcall" && METHODS.has(node.args[0])) node.args[0] = PREFIX + node.args[0];
  for (const child of childrenOf(node)) useStrictFunctions(child);
}

/** An error text in the words of whoever wrote the condition. */
export function hideStrictNames(text: string): string {
  return text.replaceAll(PREFIX, "");
}

export function registerStrictFunctions(environment: Environment): void {
  const add = (signature: string, handler: (...args: never[]) => unknown) =>
    environment.registerFunction(signature, handler, SYNC);
  add(`${PREFIX}int(int): int`, (value: bigint) => value);
  add(`${PREFIX}int(double): int`, intOfDouble);
  add(`${PREFIX}int(string): int`, intOfText);
  add(`${PREFIX}double(double): double`, (value: number) => value);
  add(`${PREFIX}double(int): double`, (value: bigint) => Number(value));
  add(`${PREFIX}double(string): double`, doubleOfText);
  add(`${PREFIX}timestamp(${TIMESTAMP}): ${TIMESTAMP}`, (value: Date) => value);
  add(
    `${PREFIX}timestamp(int): ${TIMESTAMP}`,
    (seconds: bigint) => dateOf(Number(seconds) * 1_000),
  );
  add(`${PREFIX}timestamp(string): ${TIMESTAMP}`, timestampOfText);
  add(`string.${PREFIX}indexOf(string): int`, (text: string, part: string) => find(text, part, 0n));
  add(`string.${PREFIX}indexOf(string, int): int`, find);
  add(
    `string.${PREFIX}lastIndexOf(string): int`,
    (text: string, part: string) => findLast(text, part, null),
  );
  add(`string.${PREFIX}lastIndexOf(string, int): int`, findLast);
  add(
    `string.${PREFIX}substring(int): string`,
    (text: string, from: bigint) => cut(text, from, null),
  );
  add(`string.${PREFIX}substring(int, int): string`, cut);
  add(`string.${PREFIX}trim(): string`, trimText);
}

function intOfDouble(value: number): bigint {
  const int = Number.isFinite(value) ? BigInt(Math.trunc(value)) : null;
  if (int === null || int < INT_MIN || int > INT_MAX) throw new Error("int() is out of range");
  return int;
}

function intOfText(text: string): bigint {
  if (!/^[+-]?[0-9]{1,19}$/.test(text)) throw new Error("int() of a text that is no whole number");
  const int = BigInt(text.replace("+", ""));
  if (int < INT_MIN || int > INT_MAX) throw new Error("int() is out of range");
  return int;
}

/** Not `nan`, which is neither above nor below any bound, and not `inf`. */
function doubleOfText(text: string): number {
  const isNumber = text.length <= 400 &&
    /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$/.test(text);
  const double = isNumber ? Number(text) : NaN;
  if (!Number.isFinite(double)) throw new Error("double() of a text that is no number");
  return double;
}

function timestampOfText(text: string): Date {
  const ms = readTimestamp(text);
  if (ms === null) throw new Error("timestamp() of a text that is no time of RFC 3339");
  const date = dateOf(ms);
  // Comparisons see what is below a millisecond, to a microsecond; arithmetic and == do not.
  if (!Number.isInteger(ms)) Object.defineProperty(date, Symbol.toPrimitive, { value: () => ms });
  return date;
}

function dateOf(ms: number): Date {
  if (!(ms >= TIMESTAMP_MIN_MS && ms <= TIMESTAMP_MAX_MS)) {
    throw new Error("timestamp() is outside the years 1 to 9999");
  }
  return new Date(Math.floor(ms));
}

function find(text: string, part: string, from: bigint): bigint {
  const start = unitOf(text, from, "indexOf");
  return codePoints(text, text.indexOf(part, start));
}

function findLast(text: string, part: string, from: bigint | null): bigint {
  const start = from === null ? text.length : unitOf(text, from, "lastIndexOf");
  return codePoints(text, text.lastIndexOf(part, start));
}

function cut(text: string, from: bigint, to: bigint | null): string {
  const start = unitOf(text, from, "substring");
  const end = to === null ? text.length : unitOf(text, to, "substring");
  if (end < start) throw new Error("substring() ends before it begins");
  return text.slice(start, end);
}

/** Unicode's white space, as other implementations of CEL trim it: U+FEFF is none. */
function trimText(text: string): string {
  const first = text.search(/[^\p{White_Space}]/u);
  if (first < 0) return "";
  let end = text.length;
  while (/\p{White_Space}/u.test(text[end - 1] ?? "")) end--;
  return text.slice(first, end);
}

/** Where the code point of that number begins, in UTF-16 units. */
function unitOf(text: string, index: bigint, name: string): number {
  let unit = 0;
  let left = index;
  for (; left > 0n && unit < text.length; left--) {
    unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
  }
  if (index < 0n || left > 0n) throw new Error(`${name}() is given an index out of range`);
  return unit;
}

/** The number of code points before a UTF-16 unit; -1 stays -1. */
function codePoints(text: string, unit: number): bigint {
  if (unit < 0) return -1n;
  let count = 0n;
  for (let at = 0; at < unit; count++) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return count;
}
