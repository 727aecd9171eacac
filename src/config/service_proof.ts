import { createHmac, timingSafeEqual } from "node:crypto";

/** Random bytes in hexadecimal, new for each question. */
const CHALLENGE = /^[0-9a-f]{32,128}$/;

/**
 * Answers a challenge as only the process that wrote the service file can. Another program on the
 * port of a dead service cannot, even if it copied every public answer, so it never receives the
 * token.
 *
 * @returns null if the challenge does not have our format.
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
