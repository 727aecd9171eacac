import { untraced } from "../config/untraced.ts";
import { type DialedPlace, explainDial } from "./dial_error.ts";

/**
 * Sends one request unchanged, without its own trace span.
 *
 * @param place the called host and the proxy, if the URL does not name the host.
 * @throws {DialError} if no answer began; else the error of the signal or the runtime.
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
