import { untraced } from "../config/untraced.ts";
import { type DialedPlace, explainDial } from "./dial_error.ts";

/**
 * Sends one request as it stands, without a span of its own.
 *
 * @param place whom the request is for, if its URL does not say so.
 * @throws {DialError} if no answer began; else what the signal or the runtime says.
 */
export async function sendRequest(
  url: URL,
  init: RequestInit & { readonly client?: Deno.HttpClient },
  place: DialedPlace = { url, proxy: null },
): Promise<Response> {
  try {
    return await untraced(() => fetch(url, init));
  } catch (error) {
    throw explainDial(error, place);
  }
}
