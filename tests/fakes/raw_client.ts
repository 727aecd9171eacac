import { connect, type Socket } from "node:net";

/** One connection on which a test sends exactly the bytes that it wants. */
export interface RawClient {
  readonly socket: Socket;
  send(text: string): void;
  /** Everything received so far. */
  received(): string;
  /** Resolves when the received text matches. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with everything received, when the other side has ended the connection. */
  ended: Promise<string>;
  close(): void;
}

export async function rawClient(port: number, first = ""): Promise<RawClient> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let text = "";
  let look = () => {};
  const ended = Promise.withResolvers<string>();
  const opened = Promise.withResolvers<void>();
  socket.on("connect", () => opened.resolve());
  socket.on("data", (bytes: Uint8Array) => {
    text += new TextDecoder("latin1").decode(bytes);
    look();
  });
  const end = () => {
    opened.resolve();
    ended.resolve(text);
    look();
    socket.destroy();
  };
  socket.on("end", end);
  socket.on("close", end);
  socket.on("error", end);
  await opened.promise;
  if (first !== "") socket.write(first);
  return {
    socket,
    send: (more) => void socket.write(more),
    received: () => text,
    until(pattern) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      look = () => {
        if (pattern.test(text)) resolve(text);
        else if (socket.destroyed) reject(new Error(`Ended before ${pattern}: ${text}`));
      };
      look();
      return promise;
    },
    ended: ended.promise,
    close: () => void socket.destroy(),
  };
}
