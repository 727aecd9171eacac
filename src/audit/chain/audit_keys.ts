/**
 * The keys of the audit log: one signs checkpoints, one encrypts payloads.
 *
 * The key files lie outside the store, and only the service's user can read them. An attacker who
 * can write the store cannot forge a checkpoint; one who can copy it cannot read a payload.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { watchContents } from "../../config/watch_contents.ts";
import { GateError } from "../../model/errors.ts";
import { sha256Hex } from "../../model/sha256.ts";
import { type CheckpointSigner, createCheckpointSigner } from "./checkpoint.ts";

export interface PayloadKey {
  /** The start of the key's SHA-256; stored beside each text that the key encrypted. */
  readonly id: string;
  /** 32 bytes, AES-256. */
  readonly bytes: Uint8Array;
}

export interface AuditKeys {
  readonly signer: CheckpointSigner;
  readonly payloadKeys: PayloadKeys;
  /** The file that the payload keys were read from; null if there is none. */
  readonly payloadPath: string | null;
}

/** The first key encrypts; the others only decrypt older payloads. */
export type PayloadKeys = readonly [PayloadKey, ...PayloadKey[]];

/** Payload keys that are read again when their file changes. */
export interface FollowedKeys {
  /** The keys in force. */
  readonly current: () => PayloadKeys;
  close(): Promise<void>;
}

const KEY_NAME = "toolgate";
const FILE_MODE = 0o600;

/** Keys that end with the process: for tests and trials. */
export function createAuditKeys(): AuditKeys {
  const { privateKey } = generateKeyPairSync("ed25519");
  return {
    signer: createCheckpointSigner(privateKey, KEY_NAME),
    payloadKeys: [toPayloadKey(crypto.getRandomValues(new Uint8Array(32)))],
    payloadPath: null,
  };
}

/**
 * Reads the keys at `<path>.signing.pem` (PKCS #8) and `<path>.payload.key` (base64, one a line,
 * newest first), creates missing files, and writes the public key to `<path>.signing.pub`.
 *
 * @throws {GateError} `ERR_CONFIG` if a file exists but does not hold a key.
 */
export async function loadAuditKeys(path: string): Promise<AuditKeys> {
  const signingPath = `${path}.signing.pem`;
  const payloadPath = `${path}.payload.key`;
  const pem = await readOrCreate(
    signingPath,
    () => generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }),
  );
  const lines = await readOrCreate(
    payloadPath,
    () => `${crypto.getRandomValues(new Uint8Array(32)).toBase64()}\n`,
  );
  const signer = createCheckpointSigner(parseSigningKey(pem, signingPath), KEY_NAME);
  await Deno.writeTextFile(`${path}.signing.pub`, `${signer.verifierKey}\n`);
  return { signer, payloadKeys: parsePayloadKeys(lines, payloadPath), payloadPath };
}

/**
 * Follows the file of the payload keys. The signing key is read once: a process has one signer.
 *
 * If the file cannot be used, the previous keys stay in force.
 *
 * @param log told which key encrypts from now on, which one is gone, and why a file cannot be used.
 */
export function followPayloadKeys(
  { payloadKeys, payloadPath: path }: AuditKeys,
  log: (message: string) => void,
): FollowedKeys {
  if (path === null) return { current: () => payloadKeys, close: () => Promise.resolve() };
  let keys = payloadKeys;
  const read = async () => parsePayloadKeys(await Deno.readTextFile(path), path);
  const look = () => read().then(namesOf, String);
  const watch = watchContents(look, namesOf(keys), async () => {
    try {
      const next = await read();
      const gone = keys.filter(({ id }) => !next.some((key) => key.id === id));
      for (const { id } of gone) {
        log(
          `audit: the payload key ${id} is no longer in "${path}": what it encrypted stays closed`,
        );
      }
      if (next[0].id !== keys[0].id) {
        log(`audit: payloads are encrypted with the key ${next[0].id} from now on`);
      }
      keys = next;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log(`audit: the payload keys from before stay in force: ${reason}`);
    }
  });
  return { current: () => keys, close: watch.close };
}

async function readOrCreate(path: string, create: () => string | Uint8Array): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(path.slice(0, Math.max(1, path.lastIndexOf("/"))), { recursive: true });
  const text = String(create());
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode: FILE_MODE });
    return text;
  } catch (error) {
    // Another process created the file first: use its key.
    if (error instanceof Deno.errors.AlreadyExists) return await Deno.readTextFile(path);
    throw error;
  }
}

function parseSigningKey(pem: string, path: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch (cause) {
    throw keyError(path, "an Ed25519 private key in PKCS #8 PEM", cause);
  }
  throw keyError(path, "an Ed25519 private key in PKCS #8 PEM");
}

function parsePayloadKeys(text: string, path: string): PayloadKeys {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const [first, ...others] = lines.map((line) => parsePayloadKey(line, path));
  if (first === undefined) throw keyError(path, "a key");
  return [first, ...others];
}

function namesOf(keys: PayloadKeys): string {
  return keys.map(({ id }) => id).join(" ");
}

function parsePayloadKey(line: string, path: string): PayloadKey {
  try {
    const bytes = Uint8Array.fromBase64(line);
    if (bytes.length === 32) return toPayloadKey(bytes);
  } catch (cause) {
    throw keyError(path, "32 bytes in base64 on every line", cause);
  }
  throw keyError(path, "32 bytes in base64 on every line");
}

function toPayloadKey(bytes: Uint8Array): PayloadKey {
  return { id: sha256Hex(bytes).slice(0, 8), bytes };
}

function keyError(path: string, wanted: string, cause?: unknown): GateError {
  return new GateError("ERR_CONFIG", `Cannot use the audit key file "${path}": not ${wanted}`, {
    hint: "Restore the file from a backup; without it old checkpoints and payloads cannot be read.",
    cause,
  });
}
