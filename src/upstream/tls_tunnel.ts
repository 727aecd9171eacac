/** Gives the addresses that a URL may be connected to, or throws. */
export type ResolveAddresses = (url: URL) => Promise<readonly string[]>;

const HEAD_BYTES_MAX = 8_192;
const HEAD_MS_MAX = 10_000;

/**
 * A way to pin the address of an HTTPS connection.
 *
 * `fetch` resolves names itself, and the answer may differ from the one that was checked. So HTTPS goes
 * through a tunnel inside the process: `fetch` asks it to connect to a name, the guard resolves and
 * checks, and the tunnel connects to exactly that address. TLS runs end to end through it, so it sees
 * nothing. It listens on the loopback interface and serves only who knows the secret of this process.
 */
export class TlsTunnel {
  readonly #guards = new Map<string, ResolveAddresses>();
  readonly #clients: Deno.HttpClient[] = [];
  readonly #connections = new Set<Deno.Conn>();
  readonly #running = new Set<Promise<void>>();
  #listener: Deno.TcpListener | null = null;

  /** A client whose connections are checked by the given guard. Closed with the tunnel. */
  client(resolve: ResolveAddresses, caCerts: readonly string[]): Deno.HttpClient {
    this.#listener ??= this.#listen();
    const secret = crypto.randomUUID();
    this.#guards.set(secret, resolve);
    const client = Deno.createHttpClient({
      caCerts: [...caCerts],
      proxy: {
        url: `http://127.0.0.1:${this.#listener.addr.port}`,
        basicAuth: { username: "toolgate", password: secret },
      },
    });
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.#listener?.close();
    for (const connection of [...this.#connections]) this.#release(connection);
    await Promise.all(this.#running);
  }

  #listen(): Deno.TcpListener {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#track(this.#accept(listener));
    return listener;
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const inner of listener) {
      this.#connections.add(inner);
      this.#track(this.#serve(inner).finally(() => this.#release(inner)));
    }
  }

  /** Joins one connection of `fetch` to the address that its guard gives. */
  async #serve(inner: Deno.TcpConn): Promise<void> {
    const timer = setTimeout(() => this.#release(inner), HEAD_MS_MAX);
    const head = await readHead(inner).finally(() => clearTimeout(timer));
    const target = parseConnect(head);
    const resolve = target === null ? undefined : this.#guards.get(target.secret);
    if (target === null || resolve === undefined) return await answer(inner, 407);
    let outer: Deno.TcpConn;
    try {
      const url = new URL(`https://${target.authority}`);
      outer = await connectFirst(await resolve(url), Number(url.port) || 443);
    } catch {
      return await answer(inner, 502);
    }
    this.#connections.add(outer);
    try {
      await answer(inner, 200);
      await Promise.race([
        inner.readable.pipeTo(outer.writable),
        outer.readable.pipeTo(inner.writable),
      ]);
    } finally {
      this.#release(outer);
    }
  }

  #release(connection: Deno.Conn): void {
    this.#connections.delete(connection);
    try {
      connection.close();
    } catch {
      // The other side was faster.
    }
  }

  /** Remembers work until it is over. A connection that breaks is no news to anybody else. */
  #track(work: Promise<void>): void {
    const tracked = work.catch(() => {}).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }
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
