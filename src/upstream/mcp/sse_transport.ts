import {
  type JSONRPCMessage,
  SdkErrorCode,
  SdkHttpError,
  type Transport,
} from "@modelcontextprotocol/client";
import { createParser } from "eventsource-parser";
import type { Outbound } from "../net/outbound_fetch.ts";
import { MALFORMED_ANSWER, MessageIntake } from "./message_intake.ts";

/** A longer event ends the connection. */
const EVENT_CHARACTERS_MAX = 134_217_728;

/**
 * The HTTP transport of 2024. The client opens a stream of events, which brings every message of
 * the server. The first event names the endpoint for the client's messages.
 *
 * @see MCP 2024-11-05, "HTTP with SSE"; HTML Living Standard, "Server-sent events"
 */
export class SseTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #url: URL;
  readonly #fetch: Outbound["fetch"];
  readonly #closing = new AbortController();
  readonly #intake = new MessageIntake({
    deliver: (message) => this.onmessage?.(message),
    problem: (why) => this.onerror?.(new Error(why)),
  });
  readonly #endpoint = Promise.withResolvers<URL>();
  #reading: Promise<void> = Promise.resolve();
  #version: string | null = null;

  constructor(url: URL, fetch: Outbound["fetch"]) {
    this.#url = url;
    this.#fetch = fetch;
    // `start` itself reports a stream that fails before `start` waits for the endpoint.
    this.#endpoint.promise.catch(() => {});
  }

  async start(): Promise<void> {
    const response = await this.#request(this.#url, { headers: { accept: "text/event-stream" } });
    if (response.body === null) throw new Error("The stream of events is empty");
    this.#reading = this.#read(response.body);
    await this.#endpoint.promise;
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.#intake.sending(message);
    const response = await this.#request(await this.#endpoint.promise, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(message),
    });
    await response.body?.cancel();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("Closed"));
    await this.#reading;
  }

  setProtocolVersion(version: string): void {
    this.#version = version;
  }

  async #request(target: URL, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#version !== null) headers.set("mcp-protocol-version", this.#version);
    const response = await this.#fetch(target, { ...init, headers, signal: this.#closing.signal });
    if (response.ok) return response;
    const text = (await response.text()).slice(0, 1_000);
    const { status, statusText } = response;
    throw new SdkHttpError(
      SdkErrorCode.ClientHttpFailedToOpenStream,
      `The server answered HTTP ${status}`,
      { status, statusText, text },
    );
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const parser = createParser({
      maxBufferSize: EVENT_CHARACTERS_MAX,
      onEvent: ({ event = "message", data }) => this.#dispatch(event, data),
      onError(error) {
        // The parser skips unknown fields, as the standard says; an event that is too large is a
        // failure.
        if (error.type === "max-buffer-size-exceeded") throw error;
      },
    });
    try {
      for await (const text of body.pipeThrough(new TextDecoderStream())) parser.feed(text);
    } catch (error) {
      if (!this.#closing.signal.aborted) {
        this.onerror?.(error instanceof Error ? error : new Error(String(error)));
      }
    }
    this.#endpoint.reject(new Error("The stream ended before it named an endpoint"));
    this.onclose?.();
  }

  #dispatch(type: string, data: string): void {
    if (type === "endpoint") this.#setEndpoint(data);
    if (type !== "message") return;
    let message: unknown;
    try {
      message = JSON.parse(data);
    } catch {
      return this.#intake.refuse(null, MALFORMED_ANSWER, "its event is not JSON");
    }
    this.#intake.receive(message);
  }

  #setEndpoint(data: string): void {
    const target = URL.canParse(data, this.#url.href) ? new URL(data, this.#url) : null;
    // Messages carry the credential, so they go only to the origin of the stream.
    if (target?.origin === this.#url.origin) this.#endpoint.resolve(target);
    else this.#endpoint.reject(new Error("The endpoint is at another origin"));
  }
}
