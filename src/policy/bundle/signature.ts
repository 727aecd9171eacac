import {
  calculateJwkThumbprint,
  exportJWK,
  FlattenedSign,
  flattenedVerify,
  generateKeyPair,
  importJWK,
  type JWK,
} from "jose";
import { GateError } from "../../model/errors.ts";

/** An Ed25519 key as JWK (RFC 8037); with `d` it is a private one. */
export type BundleKey = JWK;

const ALGORITHM = "EdDSA";

/** Makes a new signing key. Both halves carry the RFC 7638 thumbprint as `kid`. */
export async function generateBundleKeys(): Promise<
  { publicKey: BundleKey; privateKey: BundleKey }
> {
  const pair = await generateKeyPair(ALGORITHM, { crv: "Ed25519", extractable: true });
  const publicKey = await exportJWK(pair.publicKey);
  const privateKey = await exportJWK(pair.privateKey);
  const named = { kid: await calculateJwkThumbprint(publicKey), alg: ALGORITHM, use: "sig" };
  return { publicKey: { ...publicKey, ...named }, privateKey: { ...privateKey, ...named } };
}

/**
 * Signs a text, unencoded and detached.
 *
 * @returns `<protected header>..<signature>`
 * @see RFC 7797
 */
export async function signDetached(text: string, privateKey: BundleKey): Promise<string> {
  if (!isEd25519(privateKey) || typeof privateKey.d !== "string") {
    throw new GateError("ERR_CONFIG", "Cannot sign: the key is not a private Ed25519 key", {
      hint: "Make one with the key generator of the bundle command",
    });
  }
  const key = await importJWK({ ...privateKey, alg: ALGORITHM }, ALGORITHM);
  const jws = await new FlattenedSign(new TextEncoder().encode(text))
    .setProtectedHeader({
      alg: ALGORITHM,
      b64: false,
      crit: ["b64"],
      kid: await calculateJwkThumbprint(privateKey),
    })
    .sign(key);
  return `${jws.protected}..${jws.signature}`;
}

/** @returns the thumbprint of the trusted key that signed the text; null if no trusted key did. */
export async function verifyDetached(
  text: string,
  signature: string,
  trustedKeys: readonly BundleKey[],
): Promise<string | null> {
  const [header, payload, signed, ...rest] = signature.split(".");
  if (header === undefined || payload !== "" || signed === undefined || rest.length > 0) {
    return null;
  }
  const bytes = new TextEncoder().encode(text);
  for (const trusted of trustedKeys) {
    if (!isEd25519(trusted)) continue;
    // Take the public members only: a private key in the trust list must not change the result.
    const { kty, crv, x } = trusted;
    try {
      const key = await importJWK({ kty, crv, x, alg: ALGORITHM }, ALGORITHM);
      const jws = { protected: header, payload: bytes, signature: signed };
      const { protectedHeader } = await flattenedVerify(jws, key, { algorithms: [ALGORITHM] });
      // Without `b64: false` the signature would cover other bytes than the text.
      if (protectedHeader?.b64 !== false) continue;
      return await calculateJwkThumbprint({ kty, crv, x });
    } catch {
      continue; // this key did not sign the text
    }
  }
  return null;
}

function isEd25519(key: BundleKey): boolean {
  return key.kty === "OKP" && key.crv === "Ed25519" && typeof key.x === "string";
}
