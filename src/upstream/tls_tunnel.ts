/**
 * A way to pin the address of an HTTPS connection.
 *
 * `fetch` resolves names itself, and the answer may differ from the one that was checked. So HTTPS goes
 * through a tunnel inside the process: `fetch` asks it to connect to a name, the guard resolves and
 * checks, and the tunnel connects to exactly that address. TLS runs end to end through it, so it sees
 * nothing. It listens on the loopback interface and serves only who knows the secret of this process.
 */
export interface TlsTunnel {
  /** A client whose connections are checked by the given guard. */
  client(
    resolve: (url: URL) => Promise<readonly string[]>,
    caCerts: readonly string[],
  ): Deno.HttpClient;
  close(): Promise<void>;
}

const HEAD_BYTES_MAX = 8_192;
const HEAD_MS_MAX = 10_000;

export function createTlsTunnel(): TlsTunnel {
  const guards = new Map<string, (url: URL) => Promise<readonly string[]>>();
  const clients: Deno.HttpClient[] = [];
  const connections = new Set<Deno.Conn>();
  const running = new Set<Promise<void>>();
  let listener: Deno.TcpListener | null = null;

  const accept = async (from: Deno.TcpListener) => {
    for await (const inner of from) {
      const work = serve(inner).catch(() => {}).finally(() => {
        release(inner);
        running.delete(work);
      });
      running.add(work);
    }
  };
  const hold = <T extends Deno.Conn>(connection: T): T => {
    connections.add(connection);
    return connection;
  };
  const release = (connection: Deno.Conn) => {
    connections.delete(connection);
    try {
      connection.close();
    } catch {
      // The other side was faster.
    }
  };
  const serve = async (inner: Deno.TcpConn) => {
    hold(inner);
    const timer = setTimeout(() => release(inner), HEAD_MS_MAX);
    const head = await readHead(inner).finally(() => clearTimeout(timer));
    const target = parseConnect(head);
    const resolve = target === null ? undefined : guards.get(target.secret);
    if (target === null || resolve === undefined) return await answer(inner, 407);
    let outer: Deno.TcpConn;
    try {
      const url = new URL(`https://${target.authority}`);
      outer = hold(await connectFirst(await resolve(url), Number(url.port) || 443));
    } catch {
      return await answer(inner, 502);
    }
    try {
      await answer(inner, 200);
      await Promise.race([
        inner.readable.pipeTo(outer.writable),
        outer.readable.pipeTo(inner.writable),
      ]);
    } finally {
      release(outer);
    }
  };
  return {
    client(resolve, caCerts) {
      if (listener === null) {
        listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        const accepting = accept(listener).catch(() => {});
        running.add(accepting);
      }
      const secret = crypto.randomUUID();
      guards.set(secret, resolve);
      const client = Deno.createHttpClient({
        caCerts: [...caCerts],
        proxy: {
          url: `http://127.0.0.1:${listener.addr.port}`,
          basicAuth: { username: "toolgate", password: secret },
        },
      });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      listener?.close();
      for (const connection of [...connections]) release(connection);
      await Promise.all(running);
    },
  };
}

/** Connects to the first address that accepts. */
async function connectFirst(addresses: readonly string[], port: number): Promise<Deno.TcpConn> {
  let last: unknown = new Error("No address");
  for (const hostname of addresses) {
    try {
      return await Deno.connect({ hostname, port });
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** Reads up to the blank line. The client sends nothing after it before it has an answer. */
async function readHead(connection: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(HEAD_BYTES_MAX);
  let size = 0;
  while (size < buffer.length) {
    const read = await connection.read(buffer.subarray(size));
    if (read === null) break;
    size += read;
    const head = new TextDecoder("latin1").decode(buffer.subarray(0, size));
    if (head.endsWith("\r\n\r\n")) return head;
  }
  throw new Error("Not a CONNECT request");
}

function parseConnect(head: string): { authority: string; secret: string } | null {
  const authority = /^CONNECT ([^\s/@?#]{1,300}) HTTP\/1\.[01]\r\n/.exec(head)?.[1];
  const credential = /\r\nproxy-authorization: *basic +([\w+/=]{1,300})\r\n/i.exec(head)?.[1];
  if (authority === undefined || credential === undefined) return null;
  const [user, secret] = new TextDecoder().decode(Uint8Array.fromBase64(credential)).split(":", 2);
  return user === "toolgate" && secret !== undefined ? { authority, secret } : null;
}

async function answer(connection: Deno.Conn, status: number): Promise<void> {
  const bytes = new TextEncoder().encode(
    `HTTP/1.1 ${status} ${status === 200 ? "OK" : "No"}\r\n\r\n`,
  );
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
