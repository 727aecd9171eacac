export class AnswerTooLargeError extends Error {
  override readonly name = "AnswerTooLargeError";
  constructor(readonly bytesMax: number) {
    super(`The answer is larger than ${bytesMax} bytes`);
  }
}

/** The same answer, whose body fails once it (of an event stream: one event) is larger than allowed. */
export function boundResponse(response: Response, bytesMax: number): Response {
  if (response.body === null) return response;
  const isStream = /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "");
  const reader = response.body.getReader();
  let bytes = 0;
  const counted = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      const eventEnd = isStream ? lastEventEnd(value) : 0;
      bytes = eventEnd > 0 ? value.length - eventEnd : bytes + value.length;
      if (bytes <= bytesMax) return controller.enqueue(value);
      const error = new AnswerTooLargeError(bytesMax);
      controller.error(error);
      await reader.cancel(error);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
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
