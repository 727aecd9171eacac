/** `fetch` towards one upstream: bounded, checked, with its credential. */
export type OutboundFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

export interface OutboundFetchOptions {
  /** Largest body of an answer; an event stream that stays open is not counted. */
  readonly responseBytesMax: number;
  /** Headers of each request, resolved when it is made. */
  readonly headers: () => Promise<{ readonly [name: string]: string }>;
}

/** Makes the fetch of one upstream. */
export function createOutboundFetch(options: OutboundFetchOptions): OutboundFetch {
  return async (url, init) => {
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(await options.headers())) headers.set(name, value);
    const response = await fetch(url, { ...init, headers });
    return boundResponse(response, options.responseBytesMax);
  };
}

/** The same answer, whose body fails once it (of an event stream: one event) is larger than allowed. */
export function boundResponse(response: Response, bytesMax: number): Response {
  if (response.body === null) return response;
  const isStream = /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "");
  let bytes = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        const eventEnd = isStream ? lastEventEnd(chunk) : 0;
        bytes = eventEnd > 0 ? chunk.length - eventEnd : bytes + chunk.length;
        if (bytes > bytesMax) controller.error(new AnswerTooLargeError(bytesMax));
        else controller.enqueue(chunk);
      },
    }),
  );
  return new Response(counted, response);
}

/** Index after the last blank line of a chunk, 0 if there is none. */
function lastEventEnd(chunk: Uint8Array): number {
  for (let at = chunk.length - 1; at > 0; at--) {
    if (chunk[at] !== 10) continue;
    if (chunk[at - 1] === 10 || chunk[at - 1] === 13 && chunk[at - 2] === 10) return at + 1;
  }
  return 0;
}

export class AnswerTooLargeError extends Error {
  override readonly name = "AnswerTooLargeError";
  constructor(readonly bytesMax: number) {
    super(`The answer is larger than ${bytesMax} bytes`);
  }
}
