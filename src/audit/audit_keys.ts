/**
 * The keys of the audit log: one signs checkpoints, one encrypts payloads.
 *
 * They lie in files of their own, readable by the service's user only, so that who can write the store
 * cannot forge a checkpoint, and who can copy it cannot read a payload.
 */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { GateError } from "../model/errors.ts";
import { type CheckpointSigner, createCheckpointSigner } from "./checkpoint.ts";

export interface PayloadKey {
  /** Names the key beside what it encrypted: the start of its SHA-256. */
  readonly id: string;
  /** 32 bytes, AES-256. */
  readonly bytes: Uint8Array;
}

export interface AuditKeys {
  readonly signer: CheckpointSigner;
  /** The first encrypts; the others only decrypt what was written before. */
  readonly payloadKeys: readonly PayloadKey[];
}

const KEY_NAME = "toolgate";
const FILE_MODE = 0o600;

/** Keys that end with the process: for tests and trials. */
export function createAuditKeys(): AuditKeys {
  const { privateKey } = generateKeyPairSync("ed25519");
  return {
    signer: createCheckpointSigner(privateKey, KEY_NAME),
    payloadKeys: [toPayloadKey(crypto.getRandomValues(new Uint8Array(32)))],
  };
}

/**
 * Reads the keys at `<path>.signing.pem` (PKCS #8) and `<path>.payload.key` (base64, one a line, the
 * newest first), makes what is missing, and writes the public key to `<path>.signing.pub`.
 *
 * @throws {GateError} `ERR_CONFIG` if a file is there but holds no key.
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
  return { signer, payloadKeys: parsePayloadKeys(lines, payloadPath) };
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
    // Another process made it in between: its key is the key.
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

function parsePayloadKeys(text: string, path: string): PayloadKey[] {
  const keys = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (keys.length === 0) throw keyError(path, "a key");
  return keys.map((line) => {
    try {
      const bytes = Uint8Array.fromBase64(line);
      if (bytes.length === 32) return toPayloadKey(bytes);
    } catch (cause) {
      throw keyError(path, "32 bytes in base64 on every line", cause);
    }
    throw keyError(path, "32 bytes in base64 on every line");
  });
}

function toPayloadKey(bytes: Uint8Array): PayloadKey {
  return { id: createHash("sha256").update(bytes).digest("hex").slice(0, 8), bytes };
}

function keyError(path: string, wanted: string, cause?: unknown): GateError {
  return new GateError("ERR_CONFIG", `Cannot use the audit key file "${path}": not ${wanted}`, {
    hint: "Restore the file from a backup; without it old checkpoints and payloads cannot be read.",
    cause,
  });
}
