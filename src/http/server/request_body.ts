import type { IncomingMessage } from "node:http";
import type { RequestRefused } from "./request_refused.ts";

/** The body of a request while it arrives. */
export interface RequestBody {
  readonly stream: ReadableStream<Uint8Array>;
  /** True while a reader waits for bytes that the client has not sent. */
  isAwaited(): boolean;
  bytes(): number;
  /** The reader gets this error; later bytes are thrown away. */
  refuse(reason: RequestRefused): void;
}

/** A short body is received even without a reader, so that its request is complete. */
const READ_AHEAD_BYTES = 65_536;

/**
 * Reads from the socket only as fast as the handler reads the stream.
 *
 * @param onBytes may refuse the rest of the body.
 * @param onFirstRead tells a client that waits (`Expect: 100-continue`) to send its body; null if
 * the client does not wait.
 */
export function createRequestBody(
  incoming: IncomingMessage,
  onBytes: (bytes: number) => RequestRefused | null,
  onFirstRead: (() => void) | null,
): RequestBody {
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let wanted: (() => void) | null = null;
  let bytes = 0;
  let isFirst = true;
  const settle = () => {
    wanted?.();
    wanted = null;
  };
  const end = (reason: Error | null) => {
    const open = controller;
    controller = null;
    if (reason === null) open?.close();
    else open?.error(reason);
    settle();
    // Drop the remaining bytes; the server's sweep ends a client that continues to send.
    incoming.resume();
  };
  incoming.on("data", (chunk: Uint8Array) => {
    if (controller === null) return;
    bytes += chunk.byteLength;
    const refusal = onBytes(chunk.byteLength);
    if (refusal !== null) return end(refusal);
    controller.enqueue(new Uint8Array(chunk));
    incoming.pause();
    settle();
  });
  incoming.pause();
  incoming.on("end", () => end(null));
  incoming.on("error", () => end(new Error("The client ended the connection within the body")));
  incoming.on("close", () => end(new Error("The client ended the connection within the body")));
  const stream = new ReadableStream<Uint8Array>({
    start(opened) {
      controller = opened;
    },
    pull() {
      if (isFirst) onFirstRead?.();
      isFirst = false;
      const { promise, resolve } = Promise.withResolvers<void>();
      wanted = resolve;
      incoming.resume();
      return promise;
    },
    cancel() {
      controller = null;
      settle();
      incoming.resume();
    },
  }, new ByteLengthQueuingStrategy({ highWaterMark: onFirstRead === null ? READ_AHEAD_BYTES : 0 }));
  return {
    stream,
    isAwaited: () => wanted !== null,
    bytes: () => bytes,
    refuse: (reason) => end(reason),
  };
}
