import type { Connect } from "./connect.ts";
import { DialError, explainDial } from "./dial_error.ts";
import { openClient } from "./open_client.ts";
import { sendRequest } from "./send_request.ts";
import { answerSocks, readSocksRequest } from "./socks_handshake.ts";

/** Sends one request. @throws {DialError} that says why no answer began */
export type Send = (url: URL, init: RequestInit) => Promise<Response>;

const HANDSHAKE_MS_MAX = 10_000;
const CONNECT_MS_MAX = 30_000;
const FAILURES_MAX = 256;

/**
 * Decides where an HTTPS connection goes.
 *
 * `fetch` resolves names itself, and may get another address than the checked one. So HTTPS goes
 * through a SOCKS proxy inside this process. `fetch` gives it a name, and the proxy connects to the
 * checked address or through a proxy of the site. TLS runs end to end, so the proxy sees only
 * encrypted bytes. It listens on the loopback interface and serves only clients that know a secret
 * of this process. It is not an HTTP proxy, because `fetch` shows the secret of an HTTP proxy to
 * the server behind it.
 */
export class TlsTunnel {
  /** The way to connect, by secret. */
  readonly #connects = new Map<string, Connect>();
  readonly #clients: Deno.HttpClient[] = [];
  readonly #connections = new Set<Deno.Conn>();
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  /** The reason of the last failed connection, by secret and `host:port`. */
  readonly #failures = new Map<string, unknown>();
  readonly #isBackground: boolean;
  #listener: Deno.TcpListener | null = null;

  /** @param options.isBackground lets the process end without closing the tunnel. */
  constructor(options: { readonly isBackground?: boolean } = {}) {
    this.#isBackground = options.isBackground ?? false;
  }

  /** Makes a sender whose connections the given function opens. Closed with the tunnel. */
  sender(connect: Connect, caCerts: readonly string[]): Send {
    this.#listener ??= this.#listen();
    const secret = crypto.randomUUID();
    this.#connects.set(secret, connect);
    const name = `127.0.0.1:${this.#listener.addr.port}`;
    const basicAuth = { username: "toolgate", password: secret };
    const client = openClient({ caCerts, proxy: { url: `socks5h://${name}`, name, basicAuth } });
    this.#clients.push(client);
    return async (url, init) => {
      try {
        return await sendRequest(url, { ...init, client });
      } catch (error) {
        if (!(error instanceof DialError) || error.wasSent) throw error;
        // `fetch` only knows that the tunnel failed, so report the kept reason.
        const failure = this.#failures.get(placeOf(secret, url));
        throw failure === undefined ? error : explainDial(failure, { url, proxy: null });
      }
    };
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("The tunnel is closed"));
    for (const client of this.#clients.splice(0)) client.close();
    this.#listener?.close();
    this.#listener = null;
    for (const connection of [...this.#connections]) this.#release(connection);
    await Promise.all(this.#running);
  }

  #listen(): Deno.TcpListener {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    if (this.#isBackground) listener.unref();
    this.#track(this.#accept(listener));
    return listener;
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const inner of listener) {
      this.#hold(inner);
      this.#track(this.#serve(inner).finally(() => this.#release(inner)));
    }
  }

  /** Joins a connection of `fetch` to a new connection to its target. */
  async #serve(inner: Deno.TcpConn): Promise<void> {
    const timer = setTimeout(() => this.#release(inner), HANDSHAKE_MS_MAX);
    const request = await readSocksRequest(inner, (secret) => this.#connects.has(secret))
      .finally(() => clearTimeout(timer));
    const connect = this.#connects.get(request?.secret ?? "");
    if (request === null || connect === undefined) return;
    const url = new URL(`https://${request.authority}`);
    const outer = await this.#connect(url, request.secret, connect);
    if (outer === null) return await answerSocks(inner, false);
    this.#hold(outer);
    try {
      await answerSocks(inner, true);
      await Promise.race([
        inner.readable.pipeTo(outer.writable),
        outer.readable.pipeTo(inner.writable),
      ]);
    } finally {
      this.#release(outer);
    }
  }

  /** Connects to a host; returns null after a failure and keeps the reason. */
  async #connect(url: URL, secret: string, connect: Connect): Promise<Deno.Conn | null> {
    const place = placeOf(secret, url);
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(CONNECT_MS_MAX)]);
    try {
      const connection = await connect(url, signal);
      this.#failures.delete(place);
      return connection;
    } catch (error) {
      const isLate = signal.aborted && !this.#closing.signal.aborted;
      if (this.#failures.size >= FAILURES_MAX) this.#failures.clear();
      this.#failures.set(place, isLate ? new Deno.errors.TimedOut("connecting timed out") : error);
      return null;
    }
  }

  #hold(connection: Deno.Conn): void {
    this.#connections.add(connection);
    if (this.#isBackground) connection.unref();
  }

  #release(connection: Deno.Conn): void {
    this.#connections.delete(connection);
    try {
      connection.close();
    } catch {
      // The other side closed the connection first.
    }
  }

  /**
   * Tracks work until it ends. Errors of a broken connection are dropped here: `fetch` reports
   * them.
   */
  #track(work: Promise<void>): void {
    const tracked = work.catch(() => {}).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }
}

function placeOf(secret: string, url: URL): string {
  return `${secret} ${url.hostname}:${url.port || "443"}`;
}
