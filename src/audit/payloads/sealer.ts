import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import type { PayloadKeys } from "../chain/audit_keys.ts";
import { decryptBytes, encryptBytes } from "./encrypt_bytes.ts";

/** An encrypted text as the store holds it, with the name of its key. */
export interface SealedText {
  readonly key: string;
  /** Base64 of nonce, tag and cipher text. */
  readonly sealed: string;
}

/** Encrypts texts that lie in the store beside the audit log, with the log's payload keys. */
export interface Sealer {
  /** @param place what the text belongs to; opening with another place fails. */
  seal(text: string, place: string): Promise<SealedText>;
  /** @returns null if the text was changed, moved, or sealed with a missing key. */
  open(sealed: SealedText, place: string): Promise<string | null>;
}

const encoder = new TextEncoder();
const deflateText = promisify<Uint8Array, { level: number }, Uint8Array>(deflateRaw);
const inflateText = promisify<Uint8Array, Uint8Array>(inflateRaw);

export function createSealer(keys: () => PayloadKeys): Sealer {
  return {
    async seal(text, place) {
      const [current] = keys();
      // Texts may be many megabytes: compress outside the event loop, which serves all clients.
      const plain = await deflateText(encoder.encode(text), { level: 1 });
      return { key: current.id, sealed: encryptBytes(plain, place, current) };
    },
    async open({ key: id, sealed }, place) {
      const key = keys().find((known) => known.id === id);
      if (key === undefined) return null;
      try {
        const plain = decryptBytes(sealed, place, key);
        return new TextDecoder().decode(await inflateText(plain));
      } catch {
        return null;
      }
    },
  };
}
