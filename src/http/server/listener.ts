import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { startDeadline } from "../../model/time/deadline.ts";

/** A listener that is opened again when it no longer accepts connections. */
export interface Listener {
  readonly port: number;
  /** The owner reports an accepted connection: the listener works. */
  noteAccepted(): void;
  close(): void;
}

export interface ListenerDeps {
  readonly place: { readonly host: string; readonly port: number };
  /** Makes a server that does not listen yet; earlier servers keep their connections. */
  readonly createServer: () => Server;
  readonly probeEveryMs: number;
  readonly log: (message: string) => void;
}

/** How long a connection may take from its start until it is accepted. */
const PROBE_PATIENCE_MS = 3_000;
const REOPEN_PAUSE_MS = 250;
const BACKLOG = 511;

/**
 * Listens, and checks that new connections are still accepted. After one failed accept for lack of
 * a descriptor, the runtime's listener silently accepts no more connections.
 *
 * @throws {Deno.errors.AddrInUse} and other errors if the address cannot be used.
 */
export async function openListener(deps: ListenerDeps): Promise<Listener> {
  const { place, createServer, log, probeEveryMs } = deps;
  let server = await listen(createServer(), place.host, place.port);
  const { port } = server.address() as AddressInfo;
  let accepted = 0;
  let onAccepted = () => {};
  let closed = false;

  /** True if a connection to ourselves is not accepted. */
  const isDead = async (): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    onAccepted = () => resolve(false);
    const deadline = startDeadline(PROBE_PATIENCE_MS, () => resolve(true));
    const socket = connect({ host: reachable(place.host), port });
    // Without a descriptor for the probe, the result is unknown: not dead.
    socket.on(
      "error",
      (error: Error & { readonly code?: string }) => resolve(error.code === "ECONNREFUSED"),
    );
    const found = await promise;
    deadline.cancel();
    socket.destroy();
    return found;
  };
  const reopen = async () => {
    log("No connection comes in any more; listening anew");
    server.close();
    while (!closed) {
      try {
        server = await listen(createServer(), place.host, port);
        if (closed) server.close();
        return;
      } catch (error) {
        log(`Cannot listen anew: ${error instanceof Error ? error.message : error}`);
        await new Promise((resolve) => setTimeout(resolve, REOPEN_PAUSE_MS));
      }
    }
  };
  let seen = -1;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = async () => {
    const isQuiet = accepted === seen;
    seen = accepted;
    if (isQuiet && await isDead() && !closed) await reopen();
  };
  const watchLater = () => {
    if (closed) return;
    timer = setTimeout(() => {
      const watched = watch().catch((error) => log(`Cannot look after the listener: ${error}`));
      watched.then(watchLater, watchLater);
    }, probeEveryMs);
  };
  watchLater();
  return {
    port,
    noteAccepted() {
      accepted++;
      onAccepted();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      onAccepted();
      server.close();
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: Error & { readonly code?: string }) => reject(systemError(error));
  server.once("error", fail);
  server.listen({ host: host.replace(/^\[(.*)\]$/, "$1"), port, backlog: BACKLOG }, resolve);
  await promise;
  server.off("error", fail);
  server.on("error", () => {}); // the next probe notices a failed listener
  return server;
}

/** The Deno error for a Node error, as the rest of the service expects. */
function systemError(error: Error & { readonly code?: string }): Error {
  switch (error.code) {
    case "EADDRINUSE":
      return new Deno.errors.AddrInUse(error.message);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new Deno.errors.AddrNotAvailable(error.message);
    case "EACCES":
      return new Deno.errors.PermissionDenied(error.message);
    default:
      return error;
  }
}

/** An address of this machine that reaches a listener on `host`. */
function reachable(host: string): string {
  const plain = host.replace(/^\[(.*)\]$/, "$1");
  if (plain === "0.0.0.0") return "127.0.0.1";
  return plain === "::" ? "::1" : plain;
}
