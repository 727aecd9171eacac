import { GateError } from "../model/errors.ts";

/** Largest request body, in bytes; a larger one is answered with 413. */
export const BODY_BYTES_MAX = 4 * 1_048_576;

/** Thrown for a body over the cap; the edge answers 413. */
export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}

/**
 * The parsed JSON body, read with a hard cap whatever the headers claim.
 *
 * @throws {BodyTooLarge} over `BODY_BYTES_MAX`.
 * @throws {GateError} `ERR_BAD_REQUEST` if it is not JSON.
 */
export async function readJson(request: Request): Promise<unknown> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > BODY_BYTES_MAX) throw new BodyTooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new BodyTooLarge();
    chunks.push(chunk);
  }
  try {
    return JSON.parse(new TextDecoder().decode(join(chunks, bytes)));
  } catch {
    throw new GateError("ERR_BAD_REQUEST", "Cannot read the body: it is not JSON", {
      hint: "Send one JSON document with content-type: application/json",
    });
  }
}

function join(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
