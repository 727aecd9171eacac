import { endOfString } from "../model/json/json_text.ts";
import { createYielder } from "../model/time/yield_to_loop.ts";

/** Text up to this length is parsed at once; longer text in pieces of about this length. */
const PIECE_CHARACTERS = 65_536;

/** An array or object whose end the scan has not reached yet. */
interface Frame {
  readonly isArray: boolean;
  /** Null while the whole value is still part of a piece of its parent. */
  container: unknown[] | { [name: string]: unknown } | null;
  /** Offset of its first text that is not parsed yet. */
  start: number;
  /** Offset of the member that the scan is reading. */
  member: number;
  /** The kind of text before `start`. */
  before: "opener" | "comma" | "child";
}

/**
 * `JSON.parse` that lets other tasks run between pieces, so that a document of megabytes does not
 * block the event loop. `JSON.parse` itself parses the pieces: same values, same refusals.
 *
 * @param text the caller bounds its depth.
 * @throws {SyntaxError}
 */
export async function parseJson(
  text: string,
  giveWay: () => Promise<void> = createYielder(),
  pieceCharacters = PIECE_CHARACTERS,
): Promise<unknown> {
  if (text.length <= pieceCharacters) return JSON.parse(text);
  const first = text.search(/[^ \t\r\n]/);
  if (text[first] !== "[" && text[first] !== "{") return JSON.parse(text);
  const root = { ...frameAt(text, first), container: newContainer(text, first) };
  const frames: Frame[] = [root];
  let depth = 0;
  let pieceStart = first;
  for (let index = first + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22) index = endOfString(text, index);
    else if (code === 0x5b || code === 0x7b) {
      if (frames[depth]?.before === "child") throw syntaxErrorAt(index);
      frames[++depth] = frameAt(text, index);
    } else if (code === 0x2c) {
      meetComma(text, frames[depth], index);
      if (index - pieceStart < pieceCharacters) continue;
      parsePiece(text, frames.slice(0, depth + 1));
      pieceStart = index + 1;
      await giveWay();
    } else if (code === 0x5d || code === 0x7d) {
      meetCloser(text, frames[depth], frames[depth - 1], index);
      if (--depth >= 0) continue;
      requireSpace(text, index + 1, text.length);
      return root.container;
    }
  }
  throw syntaxErrorAt(text.length);
}

function meetComma(text: string, frame: Frame | undefined, index: number): void {
  if (frame === undefined) throw syntaxErrorAt(index);
  frame.member = index + 1;
  if (frame.before !== "child") return;
  requireSpace(text, frame.start, index);
  frame.start = index + 1;
  frame.before = "comma";
}

function meetCloser(
  text: string,
  frame: Frame | undefined,
  parent: Frame | undefined,
  index: number,
): void {
  if (frame === undefined || frame.isArray !== (text[index] === "]")) throw syntaxErrorAt(index);
  if (frame.container === null) return;
  if (frame.before === "child") requireSpace(text, frame.start, index);
  else addMembers(frame, text, index, frame.before === "opener" && frame.member === frame.start);
  if (parent === undefined) return;
  parent.start = index + 1;
  parent.member = index + 1;
  parent.before = "child";
}

/** Builds every complete value before the comma that the innermost frame has just reached. */
function parsePiece(text: string, frames: readonly Frame[]): void {
  let parent: Frame | undefined;
  for (const frame of frames) {
    if (frame.container === null && parent !== undefined) {
      // The frame began at `start - 1`, and none of its text is parsed yet.
      const opener = frame.start - 1;
      frame.container = newContainer(text, opener);
      addChild(parent, text.slice(parent.start, opener), frame.container, opener);
    }
    if (frame.member > frame.start) {
      addMembers(frame, text, frame.member - 1, false);
      frame.start = frame.member;
      frame.before = "comma";
    }
    parent = frame;
  }
}

/** Adds the members that stand between `frame.start` and `end`. */
function addMembers(frame: Frame, text: string, end: number, mayBeEmpty: boolean): void {
  const piece = text.slice(frame.start, end);
  const { container } = frame;
  let count = 0;
  if (Array.isArray(container)) {
    const members: unknown[] = JSON.parse(`[${piece}]`);
    for (const member of members) container.push(member);
    count = members.length;
  } else if (container !== null) {
    for (const [name, member] of Object.entries(JSON.parse(`{${piece}}`))) {
      define(container, name, member);
      count++;
    }
  }
  if (count === 0 && !mayBeEmpty) throw syntaxErrorAt(end);
}

/** @param before the text before the child in its parent: a name and a colon, or empty. */
function addChild(parent: Frame, before: string, child: unknown, index: number): void {
  const { container } = parent;
  if (Array.isArray(container)) {
    requireSpace(before, 0, before.length);
    container.push(child);
  } else if (container !== null) {
    const [name, ...others] = Object.keys(JSON.parse(`{${before}{}}`));
    if (name === undefined || others.length > 0) throw syntaxErrorAt(index);
    define(container, name, child);
  }
}

/** Defines an own property, also for the name `__proto__`, as `JSON.parse` does. */
function define(container: { [name: string]: unknown }, name: string, value: unknown): void {
  if (name !== "__proto__") container[name] = value;
  else {
    const property = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(container, name, property);
  }
}

function frameAt(text: string, opener: number): Frame {
  const start = opener + 1;
  return { isArray: text[opener] === "[", container: null, start, member: start, before: "opener" };
}

function newContainer(text: string, opener: number): unknown[] | { [name: string]: unknown } {
  return text[opener] === "[" ? [] : {};
}

function requireSpace(text: string, from: number, to: number): void {
  for (let index = from; index < to; index++) {
    if (!" \t\r\n".includes(text[index] ?? "")) throw syntaxErrorAt(index);
  }
}

function syntaxErrorAt(index: number): SyntaxError {
  return new SyntaxError(`Unexpected text in JSON at position ${index}`);
}
