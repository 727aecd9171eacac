import {
  type JSONRPCMessage,
  SdkErrorCode,
  SdkHttpError,
  type Transport,
} from "@modelcontextprotocol/client";
import { createLineSplitter } from "./line_splitter.ts";
import type { Outbound } from "./outbound_fetch.ts";

const EVENT_BYTES_MAX = 134_217_728;

/**
 * The HTTP transport of 2024: a stream of events that is opened first and brings every message, and an
 * endpoint, named by the first event, that takes ours.
 *
 * @see MCP 2024-11-05, "HTTP with SSE"
 */
export function createSseTransport(options: {
  readonly url: URL;
  readonly fetch: Outbound["fetch"];
}): Transport {
  const { url, fetch } = options;
  const closing = new AbortController();
  const endpoint = Promise.withResolvers<URL>();
  let reading: Promise<void> = Promise.resolve();
  let version: string | null = null;

  const request = async (target: URL, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (version !== null) headers.set("mcp-protocol-version", version);
    const response = await fetch(target, { ...init, headers, signal: closing.signal });
    if (response.ok) return response;
    const text = await response.text();
    throw new SdkHttpError(
      SdkErrorCode.ClientHttpFailedToOpenStream,
      `The server answered HTTP ${response.status}`,
      { status: response.status, statusText: response.statusText, text: text.slice(0, 1_000) },
    );
  };
  const dispatch = (type: string, data: string) => {
    if (type === "endpoint") {
      const target = new URL(data, url);
      // Messages carry the credential, so they go nowhere else.
      if (target.origin === url.origin) endpoint.resolve(target);
      else endpoint.reject(new Error(`The endpoint is at another origin, ${target.origin}`));
      return;
    }
    if (type !== "message") return;
    try {
      transport.onmessage?.(JSON.parse(data) as JSONRPCMessage);
    } catch {
      transport.onerror?.(new Error("An event is not JSON-RPC"));
    }
  };
  const read = async (body: ReadableStream<Uint8Array>) => {
    const splitter = createEventReader(dispatch);
    try {
      for await (const chunk of body) splitter.push(chunk);
    } catch (error) {
      if (!closing.signal.aborted) {
        transport.onerror?.(error instanceof Error ? error : new Error(String(error)));
      }
    }
    endpoint.reject(new Error("The stream ended before it named an endpoint"));
    transport.onclose?.();
  };
  const transport: Transport = {
    async start() {
      // A stream that fails before anybody waits for its endpoint is reported by `start` itself.
      endpoint.promise.catch(() => {});
      const response = await request(url, { headers: { accept: "text/event-stream" } });
      if (response.body === null) throw new Error("The stream of events is empty");
      reading = read(response.body);
      await endpoint.promise;
    },
    async send(message) {
      const response = await request(await endpoint.promise, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(message),
      });
      await response.body?.cancel();
    },
    async close() {
      closing.abort(new Error("Closed"));
      await reading;
    },
    setProtocolVersion(negotiated) {
      version = negotiated;
    },
  };
  return transport;
}

/** Reads the lines of an event stream. @see HTML Living Standard, "Server-sent events" */
function createEventReader(dispatch: (type: string, data: string) => void) {
  let type = "message";
  let data: string[] = [];
  return createLineSplitter({
    lineBytesMax: EVENT_BYTES_MAX,
    onLongLine: () => {},
    onLine(raw) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line === "") {
        if (data.length > 0) dispatch(type, data.join("\n"));
        type = "message";
        data = [];
        return;
      }
      const colon = line.indexOf(":");
      const field = colon === -1 ? line : line.slice(0, colon);
      const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") type = value;
      if (field === "data") data.push(value);
    },
  });
}
