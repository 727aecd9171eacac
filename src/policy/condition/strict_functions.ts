/**
 * Stricter versions of functions of the CEL library. The library reads `""` as 0 and 30 February as
 * 2 March. Some of its text functions count UTF-16 units where `size` counts code points. It
 * compares texts by UTF-16 units and drops times below a millisecond. Conditions judge texts of
 * agents, so a text that is not exactly a value is an error.
 *
 * @see CEL language definition, "Standard Definitions"
 */
import type { ASTNode, Environment } from "@marcbachmann/cel-js";
import { readTimestamp } from "../../model/time/calendar_time.ts";
import { childrenOf } from "./cel_nodes.ts";

const PREFIX = "strict_";
const SYNC = { async: false };
const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const TIMESTAMP = "google.protobuf.Timestamp";
/** The first and last millisecond of the years 1 to 9999. */
const TIMESTAMP_MIN_MS = -62_135_596_800_000;
const TIMESTAMP_MAX_MS = 253_402_300_799_999;

const FUNCTIONS: ReadonlySet<string> = new Set(["int", "double", "timestamp"]);
/** Makes texts compare by code points and times by nanoseconds. */
const ORDERED = `${PREFIX}ordered`;
/** Makes times compare by nanoseconds. */
const EXACT = `${PREFIX}exact`;
const METHODS: ReadonlySet<string> = new Set([
  ...["indexOf", "lastIndexOf", "substring", "trim"],
]);

/**
 * Rewrites a parsed condition so that it calls the strict functions and compares texts and times
 * strictly; the library cannot replace its own functions.
 *
 * @param wrap returns a parsed call of the given function; its only argument is replaced.
 */
export function useStrictFunctions(node: ASTNode, wrap: (name: string) => ASTNode): void {
  for (const child of childrenOf(node)) useStrictFunctions(child, wrap);
  switch (node.op) {
    case "call":
      if (FUNCTIONS.has(node.args[0])) node.args[0] = PREFIX + node.args[0];
      break;
    case "rcall":
      if (METHODS.has(node.args[0])) node.args[0] = PREFIX + node.args[0];
      break;
    case "<":
    case "<=":
    case ">":
    case ">=":
      if (node.args.some(isNoText)) break;
      wrapSides(node.args, () => wrap(ORDERED));
      break;
    case "==":
    case "!=":
      if (!node.args.some(isTime)) break;
      wrapSides(node.args, () => wrap(EXACT));
      break;
  }
}

function wrapSides(sides: [ASTNode, ASTNode], createCall: () => ASTNode): void {
  for (const [index, side] of sides.entries()) {
    const call = createCall();
    if (call.op === "call") call.args[1] = [side];
    sides[index] = call;
  }
}

/**
 * Whether a node is a literal, but not a text: such a literal never compares with a text or a time.
 */
function isNoText(node: ASTNode): boolean {
  return node.op === "value" && typeof node.args !== "string";
}

function isTime(node: ASTNode): boolean {
  if (node.op === "call" && node.args[0] === `${PREFIX}timestamp`) return true;
  return (node.op === "+" || node.op === "-") && node.args.some(isTime);
}

/** Gives an error text the function names that the author of the condition used. */
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
  add(`${ORDERED}(dyn): dyn`, (value: unknown) => exactly(inCodePoints(value)));
  add(`${EXACT}(dyn): dyn`, exactly);
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
  if (!/^[+-]?[0-9]{1,19}$/.test(text)) {
    throw new Error("int() of a text that is not a whole number");
  }
  const int = BigInt(text.replace("+", ""));
  if (int < INT_MIN || int > INT_MAX) throw new Error("int() is out of range");
  return int;
}

/** Rejects `inf`, and `nan`, which is neither above nor below any bound. */
function doubleOfText(text: string): number {
  const isNumber = text.length <= 400 &&
    /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$/.test(text);
  const double = isNumber ? Number(text) : NaN;
  if (!Number.isFinite(double)) throw new Error("double() of a text that is not a number");
  return double;
}

/** The part of a time below a millisecond, in nanoseconds; a Date cannot hold it. */
const restNs = new WeakMap<Date, bigint>();

function timestampOfText(text: string): Date {
  const time = readTimestamp(text);
  if (time === null) throw new Error("timestamp() of a text that is not a time of RFC 3339");
  const date = dateOf(time.ms);
  if (time.ns !== 0) restNs.set(date, BigInt(time.ns));
  return date;
}

/** Turns a time into nanoseconds, so that the library compares more than milliseconds. */
function exactly(value: unknown): unknown {
  if (!(value instanceof Date)) return value;
  const ns = BigInt(value.getTime()) * 1_000_000n + (restNs.get(value) ?? 0n);
  const exact = new Date(value);
  Object.defineProperty(exact, "getTime", { value: () => ns });
  Object.defineProperty(exact, Symbol.toPrimitive, { value: () => ns });
  return exact;
}

/** Makes texts compare by code points: in UTF-16 units an emoji comes before U+E000 to U+FFFF. */
function inCodePoints(value: unknown): unknown {
  if (typeof value !== "string" || !/[\ud800-\uffff]/.test(value)) return value;
  return value.replaceAll(/[\ud800-\uffff]/g, (unit) => {
    const code = unit.charCodeAt(0);
    return String.fromCharCode(code < 0xe000 ? code + 0x2000 : code - 0x800);
  });
}

function dateOf(ms: number): Date {
  if (!(ms >= TIMESTAMP_MIN_MS && ms <= TIMESTAMP_MAX_MS)) {
    throw new Error("timestamp() is outside the years 1 to 9999");
  }
  return new Date(ms);
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

/** Trims Unicode white space, as other implementations of CEL do: U+FEFF is not white space. */
function trimText(text: string): string {
  const first = text.search(/[^\p{White_Space}]/u);
  if (first < 0) return "";
  let end = text.length;
  while (/\p{White_Space}/u.test(text[end - 1] ?? "")) end--;
  return text.slice(first, end);
}

/** The UTF-16 offset of the code point with this index. */
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
