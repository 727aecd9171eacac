import { siteFetch } from "../../dial/site_fetch.ts";
import { EXPORT_MEDIA_TYPES } from "../export/export_audit.ts";
import { rangeOf, RefusedError, type ShipBatch, type Sink, TooLargeError } from "./sink.ts";
import { renderBatch } from "./sink_file.ts";

const TIMEOUT_MS = 30_000;
/** Most receivers answer so to a record they cannot read, some to a batch that is too large. */
const BATCH_REFUSED: ReadonlySet<number> = new Set([400, 422]);

/**
 * Posts batches to a URL. Any 2xx answer means that the receiver took the batch. `Idempotency-Key`
 * is the same at each try, so that a receiver can drop a batch that comes twice.
 *
 * @param headers values may hold secret references, resolved for every request.
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

/** A reduced record gets another key, because the receiver may remember the refused one. */
function keyOf(batch: ShipBatch): string {
  const { first, last } = rangeOf(batch);
  const reduced = batch.isReduced ? "-reduced" : "";
  return `"${encodeURIComponent(batch.chain)}/${first}-${last}${reduced}"`;
}

/** The target of a redirect without path and query; redirects are not followed. */
function redirectOf({ status, headers, url }: Response): string {
  const location = headers.get("location");
  if (status < 300 || status > 399 || location === null) return "";
  const base = url === "" ? undefined : url;
  const target = URL.canParse(location, base) ? new URL(location, base).origin : "elsewhere";
  return `, a redirect to ${target}, which is not followed`;
}
