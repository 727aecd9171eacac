import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import { LOCAL_PRINCIPAL, type TokenVerifier } from "./authenticate.ts";

/** Accepts the token of the service file, which only the operator on this machine can read. */
export function localVerifier(localToken: string): TokenVerifier {
  const wanted = Buffer.from(localToken);
  return (token) => {
    const given = Buffer.from(token);
    const isLocal = given.length === wanted.length && timingSafeEqual(given, wanted);
    return Promise.resolve(isLocal ? { ...LOCAL_PRINCIPAL, client: "cli" } : null);
  };
}
