/**
 * Checkpoints: signed statements "the chain had this many records with this Merkle root".
 *
 * A C2SP checkpoint in a C2SP signed note with Ed25519:
 *
 * ```
 * toolgate/<chain>            origin
 * <size>                      records covered
 * <root, base64>
 * head <hash, hex>            extension: SHA-256 of the newest record's line
 * time <RFC 3339>             extension
 *
 * — <key name> <base64(key id ‖ signature)>
 * ```
 *
 * @see https://c2sp.org/tlog-checkpoint
 * @see https://c2sp.org/signed-note
 */
import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

export interface Checkpoint {
  readonly chain: string;
  /** Number of records, from the first on, that the root covers. */
  readonly size: number;
  /** Hex. */
  readonly root: string;
  /** SHA-256 (hex) of the newest covered record's line; 64 zeros for none. */
  readonly head: string;
  /** RFC 3339 */
  readonly time: string;
}

export interface CheckpointSigner {
  /** The public key for verifiers, as `<name>+<id>+<key>`. */
  readonly verifierKey: string;
  sign(checkpoint: Checkpoint): string;
  /** Signs any text as a note; the text must end with a line break and contain no empty line. */
  signNote(text: string): string;
}

const ORIGIN_PREFIX = "toolgate/";
const ED25519 = 0x01;
/** DER of an Ed25519 public key before its 32 bytes (RFC 8410). */
const SPKI_PREFIX = Uint8Array.fromHex("302a300506032b6570032100");

export function createCheckpointSigner(privateKey: KeyObject, name: string): CheckpointSigner {
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const raw = new Uint8Array(publicKey).slice(SPKI_PREFIX.length);
  const id = keyId(name, raw);
  const signNote = (text: string) => {
    const signature = sign(null, new TextEncoder().encode(text), privateKey);
    return `${text}\n— ${name} ${concat(id, signature).toBase64()}\n`;
  };
  return {
    verifierKey: formatVerifierKey(name, raw),
    sign: (checkpoint) => signNote(renderCheckpoint(checkpoint)),
    signNote,
  };
}

/**
 * The checkpoint in a note, if one of the keys signed it.
 *
 * @returns null for anything that is not a checkpoint signed by one of them.
 */
export function openCheckpoint(
  note: string,
  verifierKeys: readonly string[],
): Checkpoint | null {
  const text = openNote(note, verifierKeys);
  return text === null ? null : parseCheckpoint(text);
}

/** The text of a signed note; null if none of the keys signed the note. */
export function openNote(note: string, verifierKeys: readonly string[]): string | null {
  const end = note.indexOf("\n\n");
  if (end === -1) return null;
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2).split("\n").filter((line) => line !== "");
  const signed = lines.some((line) =>
    verifierKeys.some((key) => isSignedBy(text, line, readVerifierKey(key)))
  );
  return signed ? text : null;
}

/** Reads a note without checking signatures; null if the note is not a checkpoint. */
export function readCheckpoint(note: string): Checkpoint | null {
  const end = note.indexOf("\n\n");
  return end === -1 ? null : parseCheckpoint(note.slice(0, end + 1));
}

/** Splits a file of notes. */
export function splitNotes(text: string): string[] {
  const notes: string[] = [];
  let note = "";
  for (const line of text.split("\n")) {
    if (line.startsWith(ORIGIN_PREFIX)) note = "";
    note += `${line}\n`;
    if (line.startsWith("— ")) {
      notes.push(note);
      note = "";
    }
  }
  return notes;
}

interface VerifierKey {
  readonly name: string;
  readonly id: Uint8Array;
  readonly key: KeyObject;
}

const keys = new Map<string, VerifierKey | null>();
const KEYS_CACHED_MAX = 1_000;

/** @returns null for text that is not an Ed25519 verifier key. */
function readVerifierKey(text: string): VerifierKey | null {
  const known = keys.get(text);
  if (known !== undefined) return known;
  if (keys.size >= KEYS_CACHED_MAX) keys.clear();
  const parsed = parseVerifierKey(text);
  keys.set(text, parsed);
  return parsed;
}

function parseVerifierKey(text: string): VerifierKey | null {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim());
  if (match === null) return null;
  const [, name = "", id = "", key = ""] = match;
  const bytes = decodeBase64(key);
  if (bytes === null || bytes.length !== 33 || bytes[0] !== ED25519) return null;
  const raw = bytes.slice(1);
  if (keyId(name, raw).toHex() !== id) return null;
  const der = concat(SPKI_PREFIX, raw);
  return {
    name,
    id: Uint8Array.fromHex(id),
    key: createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" }),
  };
}

export function isVerifierKey(text: string): boolean {
  return readVerifierKey(text) !== null;
}

function isSignedBy(text: string, line: string, key: VerifierKey | null): boolean {
  if (key === null || !line.startsWith(`— ${key.name} `)) return false;
  const bytes = decodeBase64(line.slice(`— ${key.name} `.length));
  if (bytes === null || bytes.length !== 68) return false;
  if (bytes.subarray(0, 4).toHex() !== key.id.toHex()) return false;
  return verify(null, new TextEncoder().encode(text), key.key, bytes.subarray(4));
}

function formatVerifierKey(name: string, raw: Uint8Array): string {
  return `${name}+${keyId(name, raw).toHex()}+${concat(new Uint8Array([ED25519]), raw).toBase64()}`;
}

function keyId(name: string, raw: Uint8Array): Uint8Array {
  const hash = createHash("sha256").update(`${name}\n`).update(new Uint8Array([ED25519]));
  return new Uint8Array(hash.update(raw).digest().subarray(0, 4));
}

function renderCheckpoint(checkpoint: Checkpoint): string {
  const root = Uint8Array.fromHex(checkpoint.root).toBase64();
  return `${ORIGIN_PREFIX}${checkpoint.chain}\n${checkpoint.size}\n${root}\n` +
    `head ${checkpoint.head}\ntime ${checkpoint.time}\n`;
}

function parseCheckpoint(text: string): Checkpoint | null {
  const [origin = "", size = "", root = "", head = "", time = ""] = text.split("\n");
  const rootBytes = decodeBase64(root);
  if (!origin.startsWith(ORIGIN_PREFIX) || !/^(0|[1-9]\d{0,15})$/.test(size)) return null;
  if (rootBytes === null || rootBytes.length !== 32) return null;
  const headMatch = /^head ([0-9a-f]{64})$/.exec(head);
  const timeMatch = /^time (\S+)$/.exec(time);
  if (headMatch === null || timeMatch === null) return null;
  return {
    chain: origin.slice(ORIGIN_PREFIX.length),
    size: Number(size),
    root: rootBytes.toHex(),
    head: headMatch[1] as string,
    time: timeMatch[1] as string,
  };
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return null;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
