import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";

/** The content of a legacy session id; signed, so that any replica can accept it. */
export interface SessionClaims {
  /** SHA-256 (hex) of the key of the principal that opened the session and owns it. */
  readonly principal: string;
  readonly space: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly nonce: string;
}

/**
 * Session ids of the 2025 protocol revisions: `base64url(claims) "." base64url(HMAC-SHA-256)`.
 *
 * Signed ids let a replica that never saw the session, or one that was restarted, serve it
 * statelessly instead of answering 404.
 */
export interface SessionSigner {
  sign(claims: SessionClaims): string;
  /** Null if the id is malformed, expired, or not signed by this key. */
  verify(id: string, now: number): SessionClaims | null;
}

const ID_CHARACTERS_MAX = 1_024;

/** @param secret at least 32 random bytes, the same on every replica. */
export function createSessionSigner(secret: Uint8Array): SessionSigner {
  // Synchronous: handing a few blocks to the thread pool costs more than hashing them.
  const macOf = (body: string) => createHmac("sha256", secret).update(body).digest();
  return {
    sign(claims) {
      const body = Buffer.from(JSON.stringify(claims)).toString("base64url");
      return `${body}.${macOf(body).toString("base64url")}`;
    },
    verify(id, now) {
      const dot = id.indexOf(".");
      if (dot < 0 || id.length > ID_CHARACTERS_MAX) return null;
      try {
        const body = id.slice(0, dot);
        const mac = Uint8Array.fromBase64(id.slice(dot + 1), { alphabet: "base64url" });
        const expected = macOf(body);
        if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return null;
        const claims: SessionClaims = JSON.parse(
          new TextDecoder().decode(Uint8Array.fromBase64(body, { alphabet: "base64url" })),
        );
        return claims.expiresAt > now ? claims : null;
      } catch {
        return null; // not base64 or not JSON, so not signed by toolgate
      }
    },
  };
}
