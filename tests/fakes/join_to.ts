import type { RawListenerOptions } from "./raw_listener.ts";

/** Answers CONNECT as a proxy does: joins the connection to another one. */
export function joinTo(port: number): NonNullable<RawListenerOptions["connect"]> {
  return async (_request, connection) => {
    const outer = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
    await Promise.race([
      connection.readable.pipeTo(outer.writable),
      outer.readable.pipeTo(connection.writable),
    ]).catch(() => {});
    try {
      outer.close();
    } catch {
      // The other side has already closed the connection.
    }
  };
}
