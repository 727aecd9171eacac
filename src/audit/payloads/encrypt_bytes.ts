import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { PayloadKey } from "../chain/audit_keys.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts with AES-256-GCM.
 *
 * @param place what the bytes belong to; decryption with another place fails.
 * @returns base64 of nonce, tag and cipher text.
 */
export function encryptBytes(plain: Uint8Array, place: string, key: PayloadKey): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce);
  cipher.setAAD(new TextEncoder().encode(place));
  const encrypted = [cipher.update(plain), cipher.final()];
  return Buffer.concat([nonce, cipher.getAuthTag(), ...encrypted]).toString("base64");
}

/** @throws when the bytes were changed, moved, or encrypted with another key. */
export function decryptBytes(encrypted: string, place: string, key: PayloadKey): Uint8Array {
  const bytes = Buffer.from(encrypted, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key.bytes, bytes.subarray(0, NONCE_BYTES));
  decipher.setAAD(new TextEncoder().encode(place));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const rest = bytes.subarray(NONCE_BYTES + TAG_BYTES);
  return Buffer.concat([decipher.update(rest), decipher.final()]);
}
