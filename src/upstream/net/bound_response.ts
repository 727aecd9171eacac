export class AnswerTooLargeError extends Error {
  override readonly name = "AnswerTooLargeError";
  constructor(readonly bytesMax: number) {
    super(`The answer is larger than ${bytesMax} bytes`);
  }
}

/**
 * The same answer, whose body fails once it (of an event stream: one event) is larger than allowed.
 *
 * @param signal of the request. It must end the new body here: the runtime links it only to the
 * body of the original response, which the garbage collector may take.
 */
export function boundResponse(
  response: Response,
  bytesMax: number,
  signal?: AbortSignal | null,
): Response {
  if (response.body === null) return response;
  const isStream = /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "");
  const reader = response.body.getReader();
  const forget = () => signal?.removeEventListener("abort", stop);
  const stop = () => end(signal?.reason);
  let end: (reason: unknown) => void = () => {};
  let bytes = 0;
  const counted = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      end = (reason) => {
        forget();
        controller.error(reason);
        // The body may have failed already for the same reason.
        reader.cancel(reason).catch(() => {});
      };
    },
    async pull(controller) {
      const { done, value } = await readOrForget(reader, forget);
      if (done) return controller.close();
      const eventEnd = isStream ? lastEventEnd(value) : 0;
      bytes = eventEnd > 0 ? value.length - eventEnd : bytes + value.length;
      if (bytes <= bytesMax) return controller.enqueue(value);
      end(new AnswerTooLargeError(bytesMax));
    },
    cancel(reason) {
      forget();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  return new Response(counted, response);
}

/** Reads the next chunk; removes the abort listener when the body ends or fails. */
async function readOrForget(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  forget: () => void,
): Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> {
  try {
    const read = await reader.read();
    if (read.done) forget();
    return read;
  } catch (error) {
    forget();
    throw error;
  }
}

/** Index after the last blank line of a chunk, 0 if there is none. */
function lastEventEnd(chunk: Uint8Array): number {
  for (let at = chunk.length - 1; at > 0; at--) {
    if (chunk[at] !== 10) continue;
    if (chunk[at - 1] === 10 || chunk[at - 1] === 13 && chunk[at - 2] === 10) return at + 1;
  }
  return 0;
}
