/** A request read from raw bytes, without an HTTP library. */
export interface RawRequest {
  /** The first line, `GET /path HTTP/1.1`. */
  readonly line: string;
  /** Names as the client wrote them, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly framing: "none" | "content-length" | "chunked";
  /** Number of the connection, counted from 1. */
  readonly connection: number;
}

export interface RawListener extends AsyncDisposable {
  readonly port: number;
  readonly requests: RawRequest[];
  /** Bytes of connections that did not begin with a request, as text. */
  readonly garbage: string[];
}

export interface RawListenerOptions {
  readonly hostname?: "127.0.0.1" | "::1";
  /** Default: any free port. */
  readonly port?: number;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** The bytes of the answer, as text. */
  readonly answer?: (request: RawRequest) => string;
  /** Called for a CONNECT request with its connection, which it takes over. */
  readonly connect?: (request: RawRequest, connection: Deno.Conn) => Promise<void>;
}

const REQUEST_BYTES_MAX = 1_048_576;

/** The only value of a header; fails if the header is missing or appears twice. */
export function headerOf(request: RawRequest, name: string): string {
  const values = request.headers.filter(([one]) => one.toLowerCase() === name);
  if (values.length !== 1) throw new Error(`${name} is there ${values.length} times`);
  return values[0]?.[1] ?? "";
}

/** An answer in HTTP/1.1 that keeps the connection. */
export function rawAnswer(
  status: string,
  headers: { readonly [name: string]: string },
  body = "",
): string {
  const length = new TextEncoder().encode(body).length;
  const lines = Object.entries({ ...headers, "content-length": String(length) })
    .map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status}`, ...lines, "", body].join("\r\n");
}

/** Listens on its own socket, keeps connections open, and records the requests. */
export function listenRaw(options: RawListenerOptions = {}): RawListener {
  const { hostname = "127.0.0.1", port = 0, tls } = options;
  const listener = tls === undefined
    ? Deno.listen({ hostname, port })
    : Deno.listenTls({ hostname, port, ...tls, alpnProtocols: ["http/1.1"] });
  const requests: RawRequest[] = [];
  const garbage: string[] = [];
  const open = new Set<Deno.Conn>();
  const running = new Set<Promise<void>>();
  let connections = 0;

  const serve = async (connection: Deno.Conn, number: number): Promise<void> => {
    const reader = createReader(connection, garbage);
    for (;;) {
      const request = await readRequest(reader, number);
      if (request === null) return;
      requests.push(request);
      if (request.line.startsWith("CONNECT ") && options.connect !== undefined) {
        return await options.connect(request, connection);
      }
      const text = options.answer?.(request) ?? rawAnswer("200 OK", {}, "ok");
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    }
  };
  const close = (connection: Deno.Conn) => {
    open.delete(connection);
    try {
      connection.close();
    } catch {
      // The other side has already closed the connection.
    }
  };
  const accept = async (): Promise<void> => {
    for await (const connection of listener) {
      open.add(connection);
      // Ignore errors: some tests check clients that break off.
      const work = serve(connection, ++connections).catch(() => {}).finally(() => {
        close(connection);
        running.delete(work);
      });
      running.add(work);
    }
  };
  const accepting = accept().catch(() => {});
  return {
    port: listener.addr.port,
    requests,
    garbage,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of [...open]) close(connection);
      await Promise.all([accepting, ...running]);
    },
  };
}

interface Reader {
  /** Text up to and including a mark; null at the end of the connection. */
  readonly until: (mark: string) => Promise<string | null>;
  readonly take: (count: number) => Promise<string>;
}

/** Reads bytes as Latin-1, so that one byte is one character. */
function createReader(connection: Deno.Conn, garbage: string[]): Reader {
  const buffer = new Uint8Array(65_536);
  let text = "";
  const more = async (): Promise<boolean> => {
    const count = await connection.read(buffer);
    if (count === null) return false;
    text += new TextDecoder("latin1").decode(buffer.subarray(0, count));
    if (text.length > REQUEST_BYTES_MAX) throw new Error("Too large");
    return true;
  };
  const cut = (length: number): string => {
    const part = text.slice(0, length);
    text = text.slice(length);
    return part;
  };
  return {
    async until(mark) {
      for (;;) {
        const at = text.indexOf(mark);
        if (at !== -1) return cut(at + mark.length);
        if (!await more()) {
          if (text !== "") garbage.push(text);
          return null;
        }
      }
    },
    async take(count) {
      while (text.length < count) if (!await more()) throw new Error("Ended early");
      return cut(count);
    },
  };
}

async function readRequest(reader: Reader, connection: number): Promise<RawRequest | null> {
  const head = await reader.until("\r\n\r\n");
  if (head === null) return null;
  const [line = "", ...lines] = head.slice(0, -4).split("\r\n");
  const headers = lines.map((text) => {
    const colon = text.indexOf(":");
    return [text.slice(0, colon), text.slice(colon + 1).trim()] as const;
  });
  const valueOf = (name: string) => headers.find(([one]) => one.toLowerCase() === name)?.[1];
  const length = valueOf("content-length");
  if (valueOf("transfer-encoding") === "chunked") {
    const body = await readChunks(reader);
    return { line, headers, body, framing: "chunked", connection };
  }
  if (length === undefined) return { line, headers, body: "", framing: "none", connection };
  const body = await reader.take(Number(length));
  return { line, headers, body, framing: "content-length", connection };
}

async function readChunks(reader: Reader): Promise<string> {
  let body = "";
  for (;;) {
    const size = parseInt(await reader.until("\r\n") ?? "", 16);
    if (!(size >= 0)) throw new Error("Not a chunk");
    body += await reader.take(size);
    await reader.until("\r\n");
    if (size === 0) return body;
  }
}
