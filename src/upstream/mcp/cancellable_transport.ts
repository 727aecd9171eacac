import type {
  JSONRPCMessage,
  RequestId,
  StreamableHTTPClientTransport,
  Transport,
} from "@modelcontextprotocol/client";
import { withinMs } from "../../model/time/within_ms.ts";
import { answerInHttpError } from "./http_error.ts";
import { MessageIntake } from "./message_intake.ts";

/**
 * Streamable HTTP whose requests end when the caller cancels them, or when their answer ends early
 * or cannot be used.
 *
 * A 2025 server without sessions never sees `notifications/cancelled`, and the client library keeps
 * reading its answer; closing the request's stream is the only way to tell the server. If a stream
 * ends without an answer, the request fails at once; the library would wait for the timeout.
 */
export function cancellableTransport(inner: StreamableHTTPClientTransport): Transport {
  const open = new Map<RequestId, AbortController>();
  const intake = new MessageIntake({
    deliver: (message) => transport.onmessage?.(message),
    problem: (why) => transport.onerror?.(new Error(why)),
  });
  let closing: Promise<void> | null = null;
  const close = async () => {
    if (inner.sessionId !== undefined) await endSession(inner);
    await inner.close();
    for (const stop of open.values()) stop.abort(new Error("Closed"));
    open.clear();
  };
  const transport: Transport = {
    hasPerRequestStream: true,
    start: () => inner.start(),
    async send(message, options) {
      const id = requestId(message);
      intake.sending(message);
      if (id === null) {
        await inner.send(message, options);
        const cancelledId = cancelledRequest(message);
        if (cancelledId !== null) open.get(cancelledId)?.abort(new Error("Cancelled"));
        return;
      }
      const stop = new AbortController();
      open.set(id, stop);
      const given = options?.requestSignal;
      try {
        await inner.send(message, {
          ...options,
          requestSignal: given === undefined ? stop.signal : AbortSignal.any([given, stop.signal]),
          onRequestStreamEnd: () => {
            options?.onRequestStreamEnd?.();
            if (open.delete(id) && options?.onRequestStreamEnd === undefined) {
              intake.receive(endedEarly(id));
            }
          },
        });
      } catch (error) {
        open.delete(id);
        // An HTTP error whose body holds a result is an answer.
        const answer = answerInHttpError(error);
        if (answer !== null) return intake.receive(answer);
        intake.forget(id);
        throw error;
      }
    },
    // The client library may also call this, and does not wait for it.
    close: () => closing ??= close(),
    setProtocolVersion(version) {
      inner.setProtocolVersion(version);
      intake.setProtocolVersion(version);
    },
    get sessionId() {
      return inner.sessionId;
    },
  };
  inner.onclose = () => transport.onclose?.();
  inner.onerror = (error) => transport.onerror?.(error);
  inner.onmessage = (message: JSONRPCMessage) => {
    if ("id" in message && message.id !== undefined && !("method" in message)) {
      open.delete(message.id);
    }
    intake.receive(message);
  };
  return transport;
}

const END_SESSION_MS = 500;

/** Tells the server that the session is over; a server that is gone delays this only briefly. */
async function endSession(inner: StreamableHTTPClientTransport): Promise<void> {
  const onerror = inner.onerror;
  delete inner.onerror;
  await withinMs(inner.terminateSession().catch(() => {}), END_SESSION_MS);
  if (onerror !== undefined) inner.onerror = onerror;
}

/** JSON-RPC error code of an answer that ended before it was complete. */
export const ANSWER_ENDED_EARLY = -31_002;

function endedEarly(id: RequestId): JSONRPCMessage {
  return {
    jsonrpc: "2.0",
    id,
    error: { code: ANSWER_ENDED_EARLY, message: "The answer ended before it was complete" },
  };
}

function requestId(message: JSONRPCMessage): RequestId | null {
  return "method" in message && "id" in message ? message.id : null;
}

function cancelledRequest(message: JSONRPCMessage): RequestId | null {
  if (!("method" in message) || message.method !== "notifications/cancelled") return null;
  const id: unknown = message.params?.requestId;
  return typeof id === "string" || typeof id === "number" ? id : null;
}
