import { siteFetch } from "../dial/site_fetch.ts";
import { EXPORT_MEDIA_TYPES } from "./export_audit.ts";
import { rangeOf, type Sink } from "./sink.ts";
import { renderBatch } from "./sink_file.ts";

const TIMEOUT_MS = 30_000;

/**
 * Posts batches to a URL. Any 2xx answer means that the batch was taken; `Idempotency-Key` names the
 * batch, for a receiver that wants to drop what comes twice.
 *
 * @param headers their values may hold secret references, resolved for every request.
 */
export function createHttpSink(
  url: string,
  headers: { readonly [name: string]: string },
  deps: {
    resolveSecrets: (text: string) => Promise<string>;
    /** Certificates (PEM) to trust beside those of the system. */
    readAuthorities: () => Promise<string[]>;
  },
): Sink {
  return {
    async deliver(batch, signal) {
      const { first, last } = rangeOf(batch);
      const resolved = new Headers({ "content-type": EXPORT_MEDIA_TYPES[batch.format] });
      resolved.set("idempotency-key", `"${encodeURIComponent(batch.chain)}/${first}-${last}"`);
      for (const [name, value] of Object.entries(headers)) {
        resolved.set(name, await deps.resolveSecrets(value));
      }
      const response = await siteFetch(url, {
        method: "POST",
        headers: resolved,
        body: await renderBatch(batch),
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      }, await deps.readAuthorities());
      await response.body?.cancel();
      if (!response.ok) throw new Error(`it answered ${response.status}`);
    },
  };
}
