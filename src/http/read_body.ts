import { GateError } from "../model/errors.ts";
import { findInexactInteger } from "../model/json/json_numbers.ts";
import { createJsonStructureScanner } from "../rpc/json_structure.ts";
import { parseJson } from "../rpc/parse_json.ts";
import { RequestRefused } from "./server/request_refused.ts";

/** Largest request body in bytes; the edge answers 413 to a larger one. */
export const BODY_BYTES_MAX = 4 * 1_048_576;

/**
 * Reads and parses a JSON body with a hard size limit, whatever the headers claim.
 *
 * It checks the amount of structure while the body arrives, then builds the value in pieces: a body
 * cannot block the event loop, and with it all other requests, for long.
 *
 * @throws {RequestRefused} 413 over `BODY_BYTES_MAX`, or as the server refuses an arriving body.
 * @throws {GateError} `ERR_BAD_REQUEST` if it is not JSON, not UTF-8, has too much structure, or
 * has an integer that a number cannot hold exactly.
 */
export async function readJson(request: Request): Promise<unknown> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > BODY_BYTES_MAX) throw tooLarge();
  const scanner = createJsonStructureScanner();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw tooLarge();
    const excess = scanner.scan(chunk);
    if (excess !== null) {
      throw badBody(excess, "Send a smaller or flatter document; split the work");
    }
    text += decode(decoder, chunk);
  }
  text += decode(decoder);
  let body: unknown;
  try {
    body = await parseJson(text);
  } catch {
    throw badBody("it is not JSON", "Send one JSON document with content-type: application/json");
  }
  const inexact = findInexactInteger(text, "body");
  if (inexact === null) return body;
  throw badBody(
    `${inexact.place} is ${inexact.text}, which no number can hold exactly`,
    "Send such a number as a text",
  );
}

/** @param chunk absent at the end of the body, where an incomplete character is an error. */
function decode(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw badBody("it is not UTF-8", "Send JSON in UTF-8");
  }
}

function badBody(reason: string, hint: string): GateError {
  return new GateError("ERR_BAD_REQUEST", `Cannot read the body: ${reason}`, { hint });
}

function tooLarge(): RequestRefused {
  return new RequestRefused(413, {
    code: "ERR_BAD_REQUEST",
    message: "Cannot read the body: it is larger than 4 MiB",
    hint: "Send less; large data belongs into tools, not into requests",
  });
}
