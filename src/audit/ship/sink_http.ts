import { siteFetch } from "../../dial/site_fetch.ts";
import { EXPORT_MEDIA_TYPES } from "../export/export_audit.ts";
import { rangeOf, RefusedError, type ShipBatch, type Sink, TooLargeError } from "./sink.ts";
import { renderBatch } from "./sink_file.ts";

const TIMEOUT_MS = 30_000;
/** Some places answer so to a batch that is too large, and most to one with a record that they cannot read. */
const BATCH_REFUSED: ReadonlySet<number> = new Set([400, 422]);

/**
 * Posts batches to a URL. Any 2xx answer means that the batch was taken; `Idempotency-Key` names the
 * batch, for a receiver that wants to drop what comes twice: it is the same at each try.
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
      const resolved = new Headers({ "content-type": EXPORT_MEDIA_TYPES[batch.format] });
      resolved.set("idempotency-key", keyOf(batch));
      for (const [name, value] of Object.entries(headers)) {
        resolved.set(name, await deps.resolveSecrets(value));
      }
      const response = await siteFetch(url, {
        method: "POST",
        headers: resolved,
        body: await renderBatch(batch),
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      }, await deps.readAuthorities());
      await response.body?.cancel();
      if (response.status === 413) throw new TooLargeError("it answered 413");
      if (BATCH_REFUSED.has(response.status)) {
        throw new RefusedError(`it answered ${response.status}`);
      }
      if (!response.ok) throw new Error(`it answered ${response.status}${redirectOf(response)}`);
    },
  };
}

/** Another one for a record without its texts: it is not what the receiver refused before. */
function keyOf(batch: ShipBatch): string {
  const { first, last } = rangeOf(batch);
  const reduced = batch.isReduced ? "-reduced" : "";
  return `"${encodeURIComponent(batch.chain)}/${first}-${last}${reduced}"`;
}

/** Where a redirect leads, without path and query: a place that takes records is named as it is. */
function redirectOf({ status, headers, url }: Response): string {
  const location = headers.get("location");
  if (status < 300 || status > 399 || location === null) return "";
  const base = url === "" ? undefined : url;
  const target = URL.canParse(location, base) ? new URL(location, base).origin : "elsewhere";
  return `, a redirect to ${target}, which is not followed`;
}
