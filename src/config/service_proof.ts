import { createHmac, timingSafeEqual } from "node:crypto";

/** Random bytes in hexadecimal, made anew for each question. */
const CHALLENGE = /^[0-9a-f]{32,128}$/;

/**
 * What only the process that wrote the service file can answer. Another program that listens on the
 * port of a dead service cannot, even if it copied every public answer, so no token is sent to it.
 *
 * @returns null if the challenge is none of ours.
 */
export function proveService(token: string, challenge: string): string | null {
  if (!CHALLENGE.test(challenge)) return null;
  return createHmac("sha256", token).update(`toolgate service ${challenge}`).digest("hex");
}

/** True if the answer to a challenge came from the process that has the token. */
export function isProofOf(token: string, challenge: string, answer: unknown): boolean {
  const wanted = proveService(token, challenge);
  if (wanted === null || typeof answer !== "string" || answer.length !== wanted.length) {
    return false;
  }
  return timingSafeEqual(new TextEncoder().encode(answer), new TextEncoder().encode(wanted));
}
