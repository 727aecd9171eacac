import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import type { PayloadKey } from "./audit_keys.ts";

/** A text as it is stored: encrypted, with the name of its key. */
export interface SealedText {
  readonly key: string;
  /** Base64 of nonce, tag and cipher text. */
  readonly sealed: string;
}

/** Encrypts what lies in the store beside the audit log, with the keys of the log's payloads. */
export interface Sealer {
  /** @param place what the text belongs to; put into another place it does not open. */
  seal(text: string, place: string): Promise<SealedText>;
  /** Null if it was changed, moved, or sealed with a key that is not here. */
  open(sealed: SealedText, place: string): Promise<string | null>;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const encoder = new TextEncoder();
const deflateText = promisify<Uint8Array, { level: number }, Uint8Array>(deflateRaw);
const inflateText = promisify<Uint8Array, Uint8Array>(inflateRaw);

export function createSealer(keys: readonly PayloadKey[]): Sealer {
  const [current] = keys;
  if (current === undefined) throw new RangeError("Cannot seal without a key");
  return {
    async seal(text, place) {
      // Texts of many megabytes: compressed off the main path, which serves everybody.
      const plain = await deflateText(encoder.encode(text), { level: 1 });
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", current.bytes, nonce);
      cipher.setAAD(encoder.encode(place));
      const encrypted = [cipher.update(plain), cipher.final()];
      const sealed = Buffer.concat([nonce, cipher.getAuthTag(), ...encrypted]).toString("base64");
      return { key: current.id, sealed };
    },
    async open({ key: id, sealed }, place) {
      const key = keys.find((known) => known.id === id);
      if (key === undefined) return null;
      try {
        const bytes = Buffer.from(sealed, "base64");
        const nonce = bytes.subarray(0, NONCE_BYTES);
        const decipher = createDecipheriv("aes-256-gcm", key.bytes, nonce);
        decipher.setAAD(encoder.encode(place));
        decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        const encrypted = bytes.subarray(NONCE_BYTES + TAG_BYTES);
        const plain = Buffer.concat([decipher.update(encrypted), decipher.final()]);
        return new TextDecoder().decode(await inflateText(plain));
      } catch {
        return null;
      }
    },
  };
}
