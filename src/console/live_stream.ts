import type { AuditRecord } from "../model/event.ts";

/** Streams of server-sent events: each sends a part of a page again when the audit log grows. */
export interface LiveStreams {
  open(request: LiveStreamRequest): Response;
}

export interface LiveStreamRequest {
  readonly signal: AbortSignal;
  readonly render: () => Promise<string>;
  /** Called before each message: the end of a session ends its stream. */
  readonly isAllowed: () => Promise<boolean>;
}

/** Maximum of streams at the same time; one more is told to try later. */
const STREAMS_MAX = 100;
/** Pause between two messages, so that a busy service does not render all the time. */
const QUIET_MS = 700;
/** Keeps proxies from closing a silent stream, and updates the shown running times. */
const HEARTBEAT_MS = 10_000;

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function createLiveStreams(deps: {
  readonly follow: (listener: (record: AuditRecord) => void) => () => void;
  readonly quietMs?: number;
  readonly heartbeatMs?: number;
}): LiveStreams {
  const { quietMs = QUIET_MS, heartbeatMs = HEARTBEAT_MS } = deps;
  const text = new TextEncoder();
  let open = 0;
  return {
    open({ signal, render, isAllowed }) {
      if (open >= STREAMS_MAX) {
        return new Response("Too many readers", { status: 503, headers: { "retry-after": "30" } });
      }
      let close = () => {};
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          open++;
          let timer: ReturnType<typeof setTimeout> | null = null;
          let isOpen = true;
          close = () => {
            if (!isOpen) return;
            isOpen = false;
            open--;
            stop();
            signal.removeEventListener("abort", close);
            if (timer !== null) clearTimeout(timer);
            clearInterval(heartbeat);
            try {
              controller.close();
            } catch {
              // The reader has already closed it.
            }
          };
          const send = async () => {
            timer = null;
            try {
              if (!await isAllowed()) return close();
              const message = eventOf(await render());
              if (isOpen) controller.enqueue(text.encode(message));
            } catch {
              close();
            }
          };
          const schedule = () => {
            // A slow reader gets fewer messages, each with the newest state.
            if (timer !== null || (controller.desiredSize ?? 0) <= 0) return;
            timer = setTimeout(send, quietMs);
          };
          const stop = deps.follow((record) => {
            if (record.execution !== undefined) schedule();
          });
          const heartbeat = setInterval(schedule, heartbeatMs);
          signal.addEventListener("abort", close);
          timer = setTimeout(send, 0);
          if (signal.aborted) close();
        },
        cancel: () => close(),
      }, { highWaterMark: 4 });
      return new Response(body, {
        headers: {
          "content-type": "text/event-stream; charset=utf-8",
          "cache-control": "no-store",
          "x-accel-buffering": "no",
        },
      });
    },
  };
}

function eventOf(html: string): string {
  return `${html.split("\n").map((line) => `data: ${line}\n`).join("")}\n`;
}
