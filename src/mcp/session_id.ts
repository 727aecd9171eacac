/** What a legacy session id says; signed, so that any replica can accept it. */
export interface SessionClaims {
  /** SHA-256 (hex) of the principal's key: a session belongs to who opened it. */
  readonly principal: string;
  readonly space: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly nonce: string;
}

/**
 * Session ids of the 2025 protocol revisions: `base64url(claims) "." base64url(HMAC-SHA-256)`.
 *
 * Signed ids let a replica that never saw the session, or one that was restarted, serve it statelessly
 * instead of answering 404.
 */
export interface SessionSigner {
  sign(claims: SessionClaims): Promise<string>;
  /** Null for anything not signed by this key, malformed, or expired. */
  verify(id: string, now: number): Promise<SessionClaims | null>;
}

const ID_CHARACTERS_MAX = 1_024;

/** @param secret at least 32 random bytes, the same on every replica. */
export async function createSessionSigner(secret: Uint8Array<ArrayBuffer>): Promise<SessionSigner> {
  const key = await crypto.subtle.importKey(
    "raw",
    secret,
    { name: "HMAC", hash: "SHA-256" },
    false,
    [
      "sign",
      "verify",
    ],
  );
  const text = new TextEncoder();
  return {
    async sign(claims) {
      const body = text.encode(JSON.stringify(claims)).toBase64({
        alphabet: "base64url",
        omitPadding: true,
      });
      const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, text.encode(body)));
      return `${body}.${mac.toBase64({ alphabet: "base64url", omitPadding: true })}`;
    },
    async verify(id, now) {
      const dot = id.indexOf(".");
      if (dot < 0 || id.length > ID_CHARACTERS_MAX) return null;
      try {
        const body = id.slice(0, dot);
        const mac = Uint8Array.fromBase64(id.slice(dot + 1), { alphabet: "base64url" });
        if (!await crypto.subtle.verify("HMAC", key, mac, text.encode(body))) return null;
        const claims: SessionClaims = JSON.parse(
          new TextDecoder().decode(Uint8Array.fromBase64(body, { alphabet: "base64url" })),
        );
        return claims.expiresAt > now ? claims : null;
      } catch {
        return null; // not base64, not JSON: not ours
      }
    },
  };
}
