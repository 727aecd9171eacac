/**
 * Payloads: arguments, results and code, encrypted beside the chain.
 *
 * The chain holds only `commit = SHA-256(salt ‖ JCS(value))`. The salt is kept with the payload:
 * once the payload is removed, the commit reveals nothing, and the chain still verifies. Large
 * arguments that no upstream got are cut: the commit is then over `{head, bytes, sha256}`.
 * Payloads of one batch share a box (AES-256-GCM over deflated JSON): one value in the store.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { deflateRaw, deflateRawSync, inflateRawSync } from "node:zlib";
import type { AuditEvent, AuditRecord } from "../../model/event.ts";
import { canonicalJson, canonicalPieces } from "../../model/json/canonical_json.ts";
import { sha256Hex } from "../../model/sha256.ts";
import { createYielder } from "../../model/time/yield_to_loop.ts";
import { parseJson } from "../../rpc/parse_json.ts";
import type { PayloadKey } from "../chain/audit_keys.ts";
import { decryptBytes, encryptBytes } from "./encrypt_bytes.ts";

const deflate = promisify(deflateRaw);

/** JSON texts that are kept beside the chain; `code` is the program's text as a JSON string. */
export interface AuditPayloads {
  readonly args?: string;
  readonly result?: string;
  readonly code?: string;
  /** Arguments that no upstream got and that were too large to keep; then `args` is absent. */
  readonly cutArgs?: CutText;
}

/** The beginning of a text, with the size and digest that identify the whole text. */
export interface CutText {
  readonly head: string;
  /** Of the whole text, as UTF-8. */
  readonly bytes: number;
  /** Of the whole text, hex. */
  readonly sha256: string;
}

/** Characters kept of arguments that no upstream got. */
export const CUT_CHARACTERS = 16_384;

/** Arguments that no upstream got: whole up to a bound, otherwise only their beginning. */
export function unsentArguments(text: string): AuditPayloads {
  return text.length <= CUT_CHARACTERS ? { args: text } : { cutArgs: cutText(text) };
}

/** Salt (hex) and text of each payload of one record. */
export interface SaltedPayloads {
  readonly args?: readonly [salt: string, text: string];
  readonly cutArgs?: readonly [salt: string, cut: CutText];
  readonly result?: readonly [salt: string, text: string];
  readonly code?: readonly [salt: string, text: string];
}

/** Payloads of one record for the batch's box, or the id of their own box. */
export type KeptPayloads = SaltedPayloads | {
  readonly large: string;
  /** Size of that box in the store. */
  readonly bytes: number;
};

/** The contents of a box: by record number, the payloads or the id of their own box. */
export type BoxContents = { [seq: string]: SaltedPayloads | { readonly large: string } };

const SALT_BYTES = 16;

/** Computes commits and sizes, and puts them into the event. */
export function commitPayloads(
  event: AuditEvent,
  payloads: AuditPayloads,
): { event: AuditEvent; salted: SaltedPayloads } {
  const salted: { -readonly [name in keyof SaltedPayloads]: SaltedPayloads[name] } = {};
  const committed: { -readonly [name in keyof AuditEvent]: AuditEvent[name] } = { ...event };
  if (payloads.args !== undefined) {
    salted.args = [createSalt(), payloads.args];
    committed.args = { ...event.args, ...commitOf(...salted.args) };
  }
  if (payloads.cutArgs !== undefined) {
    const salt = createSalt();
    const { head, bytes } = payloads.cutArgs;
    salted.cutArgs = [salt, payloads.cutArgs];
    const { commit } = commitOf(salt, JSON.stringify(payloads.cutArgs));
    committed.args = { ...event.args, commit, bytes, cut: head.length };
  }
  if (payloads.result !== undefined) {
    salted.result = [createSalt(), payloads.result];
    committed.result = { status: "ok", ...event.result, ...commitOf(...salted.result) };
  }
  if (payloads.code !== undefined) {
    salted.code = [createSalt(), payloads.code];
    committed.code = event.code ?? hashCode(payloads.code);
  }
  return { event: committed, salted };
}

/** Like `commitPayloads` for payloads of any size, with pauses in which other work runs. */
export async function commitLargePayloads(
  event: AuditEvent,
  payloads: AuditPayloads,
): Promise<{ event: AuditEvent; salted: SaltedPayloads }> {
  const giveWay = createYielder();
  const salts = { args: createSalt(), result: createSalt(), code: createSalt() };
  const { args, result, code } = payloads;
  const argsCommit = args === undefined ? null : await commitInPieces(salts.args, args, giveWay);
  const resultCommit = result === undefined
    ? null
    : await commitInPieces(salts.result, result, giveWay);
  return {
    event: {
      ...event,
      ...(argsCommit === null ? {} : { args: { ...event.args, ...argsCommit } }),
      ...(resultCommit === null
        ? {}
        : { result: { status: "ok", ...event.result, ...resultCommit } }),
      ...(code === undefined ? {} : { code: event.code ?? hashCode(code) }),
    },
    salted: {
      ...(args === undefined ? {} : { args: [salts.args, args] }),
      ...(result === undefined ? {} : { result: [salts.result, result] }),
      ...(code === undefined ? {} : { code: [salts.code, code] }),
    },
  };
}

/** Whether kept payloads match the commits of a record. */
export function matchesCommits(record: AuditRecord, salted: SaltedPayloads): boolean {
  if (salted.args && !equalHex(record.args?.commit, commitOf(...salted.args).commit)) return false;
  if (salted.cutArgs) {
    const { commit } = commitOf(salted.cutArgs[0], JSON.stringify(salted.cutArgs[1]));
    if (!equalHex(record.args?.commit, commit)) return false;
    if (record.args?.bytes !== salted.cutArgs[1].bytes) return false;
  }
  if (salted.result && !equalHex(record.result?.commit, commitOf(...salted.result).commit)) {
    return false;
  }
  return !salted.code || equalHex(record.code?.sha256, hashCode(salted.code[1]).sha256);
}

export function plainPayloads(salted: SaltedPayloads): AuditPayloads {
  return {
    ...(salted.args ? { args: salted.args[1] } : {}),
    ...(salted.result ? { result: salted.result[1] } : {}),
    ...(salted.code ? { code: salted.code[1] } : {}),
    ...(salted.cutArgs ? { cutArgs: salted.cutArgs[1] } : {}),
  };
}

/** Cuts a text to its beginning, with the size and digest of the whole. */
export function cutText(text: string): CutText {
  return {
    head: text.slice(0, CUT_CHARACTERS).toWellFormed(),
    bytes: Buffer.byteLength(text),
    sha256: sha256Hex(text),
  };
}

/** Whether `text` is the text that was cut. */
export function isWholeOf(cut: CutText, text: string): boolean {
  const whole = cutText(text);
  return whole.bytes === cut.bytes && whole.sha256 === cut.sha256;
}

/** SHA-256 (hex) over salt and canonical JSON, and the size of the text as given. */
export function commitOf(salt: string, text: string): { commit: string; bytes: number } {
  const hash = createHash("sha256").update(Uint8Array.fromHex(salt));
  hash.update(canonicalText(text));
  return { commit: hash.digest("hex"), bytes: Buffer.byteLength(text) };
}

/** Like `commitOf`, with pauses. */
async function commitInPieces(
  salt: string,
  text: string,
  giveWay: () => Promise<void>,
): Promise<{ commit: string; bytes: number }> {
  const bytes = Buffer.byteLength(text);
  const begin = () => createHash("sha256").update(Uint8Array.fromHex(salt));
  try {
    const hash = begin();
    for (const piece of canonicalPieces(await parseJson(text, giveWay))) {
      hash.update(piece);
      await giveWay();
    }
    return { commit: hash.digest("hex"), bytes };
  } catch {
    // A text without a canonical form is hashed as in `canonicalText`.
    const commit = begin().update(canonicalJson(text.toWellFormed())).digest("hex");
    return { commit, bytes };
  }
}

/** SHA-256 (hex) and size of a program, from its JSON text. */
export function hashCode(text: string): { sha256: string; bytes: number } {
  const code = programOf(text);
  return { sha256: sha256Hex(code), bytes: Buffer.byteLength(code) };
}

/** The program in a `code` payload. */
export function programOf(text: string): string {
  try {
    const code: unknown = JSON.parse(text);
    return typeof code === "string" ? code : text;
  } catch {
    return text; // not JSON: the text is the program itself
  }
}

/**
 * Encrypts contents.
 *
 * @param place what the box belongs to; opening the box with another place fails.
 * @returns base64 of nonce, tag and cipher text.
 */
export function closeBox(contents: unknown, place: string, key: PayloadKey): string {
  return encryptBytes(deflateRawSync(JSON.stringify(contents), { level: 1 }), place, key);
}

/** Like `closeBox`, but compresses outside the event loop. */
export async function closeLargeBox(
  contents: unknown,
  place: string,
  key: PayloadKey,
): Promise<string> {
  return encryptBytes(await deflate(JSON.stringify(contents), { level: 1 }), place, key);
}

/** @throws when the box was changed, moved, or closed with another key. */
export function openBox(box: string, place: string, key: PayloadKey): unknown {
  return JSON.parse(inflateRawSync(decryptBytes(box, place, key)).toString("utf8"));
}

function createSalt(): string {
  return crypto.getRandomValues(new Uint8Array(SALT_BYTES)).toHex();
}

/** A text without a canonical form (not JSON, lone surrogates) is hashed as a JSON string. */
function canonicalText(text: string): string {
  try {
    return canonicalJson(JSON.parse(text));
  } catch {
    return canonicalJson(text.toWellFormed());
  }
}

function equalHex(a: string | undefined, b: string): boolean {
  if (a === undefined || a.length !== b.length) return false;
  return timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** Characters that the payloads of one record take in the queue. */
export function charactersOf(payloads: KeptPayloads | null): number {
  if (payloads === null || "large" in payloads) return 0;
  return (payloads.args?.[1].length ?? 0) + (payloads.result?.[1].length ?? 0) +
    (payloads.code?.[1].length ?? 0) + (payloads.cutArgs?.[1].head.length ?? 0);
}
