import type { Outbound } from "../net/outbound_fetch.ts";
import type { Credentials } from "./credentials.ts";

/**
 * A fetch that carries the credential of one scope. If the server refuses the credential, the fetch
 * sends the request once more with a fresh one: the server did not act on the first.
 */
export function authorizedFetch(
  outbound: Outbound["fetch"],
  credentials: Credentials,
  scope: string,
): Outbound["fetch"] {
  const send = async (url: string | URL, init: RequestInit | undefined) => {
    const added = await credentials.headers(scope);
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(added)) headers.set(name, value);
    return { added, response: await outbound(url, { ...init, headers }) };
  };
  return async (url, init) => {
    const first = await send(url, init);
    if (first.response.status !== 401 || !credentials.refused(scope, first.added)) {
      return first.response;
    }
    await first.response.body?.cancel();
    return (await send(url, init)).response;
  };
}
