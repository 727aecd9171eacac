import type { Span } from "./span.ts";

/** The most characters of one part of a token; the search cuts a longer run here. */
const PART_MAX = 65_536;
/** A longer header is accepted without decoding it: certificates may come before `alg`. */
const HEADER_MAX = 1_024;
/** How many starts are tried in one run: text directly before a token can contain another `eyJ`. */
const TRIES_MAX = 4;
const PART = /[\w-]*/y;

export interface JwtState {
  /** End of the last examined run of characters, and the number of tries in this run. */
  jwtRunEnd: number;
  jwtTries: number;
  /** End of the last token. */
  jwtLimit: number;
}

/**
 * Finds a token of RFC 7515 or RFC 7516 in compact form whose header begins at `at`.
 *
 * Parts may be empty: the signature of an unsecured token, the payload of a detached one, the key of
 * a JWE with `dir`. The header identifies a token: it is JSON with `alg`.
 */
export function findJwt(text: string, at: number, state: JwtState): Span | null {
  if (at < state.jwtLimit) return null;
  if (at >= state.jwtRunEnd) {
    state.jwtRunEnd = endOfPart(text, at);
    state.jwtTries = 0;
  }
  if (text[state.jwtRunEnd] !== "." || ++state.jwtTries > TRIES_MAX) return null;
  if (!isHeader(text.slice(at, state.jwtRunEnd))) return null;
  let end = state.jwtRunEnd;
  let characters = 0;
  for (let dots = 0; dots < 4 && text[end] === "."; dots++) {
    const next = endOfPart(text, end + 1);
    characters += next - end - 1;
    end = next;
  }
  if (characters < 2) return null;
  state.jwtLimit = end;
  return { start: at, end, name: "jwt" };
}

function endOfPart(text: string, from: number): number {
  PART.lastIndex = from;
  PART.test(text);
  return Math.min(PART.lastIndex, from + PART_MAX);
}

function isHeader(part: string): boolean {
  if (part.length < 12) return false;
  if (part.length > HEADER_MAX) return true;
  try {
    return /"alg"\s*:/.test(atob(part.replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return false; // not base64, so not a token
  }
}
