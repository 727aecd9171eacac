import { context, createContextKey, trace, TraceFlags } from "@opentelemetry/api";

/** What instrumentations ask before they add headers of their own. */
const SUPPRESS_TRACING = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
const NO_TRACE = { traceId: "1".repeat(32), spanId: "1".repeat(16) };

/**
 * Sends a request without the span that Deno makes of every `fetch`: it would hold the whole URL, and
 * with it arguments and secrets. Nor is a `traceparent` added: the request carries its own, or none.
 *
 * The span is left out by a parent that is not sampled, so the sampler must be a parent-based one
 * (`OTEL_TRACES_SAMPLER=parentbased_always_on`), which is OpenTelemetry's default but not Deno's.
 */
export function untraced<T>(send: () => T): T {
  const active = context.active();
  const { traceId, spanId } = trace.getSpanContext(active) ?? NO_TRACE;
  const parent = { traceId, spanId, traceFlags: TraceFlags.NONE, isRemote: true };
  const quiet = trace.setSpanContext(active, parent).setValue(SUPPRESS_TRACING, true);
  return context.with(quiet, send);
}
