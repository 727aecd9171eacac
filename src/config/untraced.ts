import { context, createContextKey, trace, TraceFlags } from "@opentelemetry/api";

/** Instrumentations read this key before they add their own headers. */
const SUPPRESS_TRACING = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
const NO_TRACE = { traceId: "1".repeat(32), spanId: "1".repeat(16) };

/**
 * Sends a request without the span that Deno makes for every `fetch`: that span would hold the
 * whole URL, with arguments and secrets. Deno does not add a `traceparent` either.
 *
 * A parent that is not sampled suppresses the span, so the sampler must be a parent-based one
 * (`OTEL_TRACES_SAMPLER=parentbased_always_on`), which is OpenTelemetry's default but not Deno's.
 */
export function untraced<T>(send: () => T): T {
  const active = context.active();
  const { traceId, spanId } = trace.getSpanContext(active) ?? NO_TRACE;
  const parent = { traceId, spanId, traceFlags: TraceFlags.NONE, isRemote: true };
  const quiet = trace.setSpanContext(active, parent).setValue(SUPPRESS_TRACING, true);
  return context.with(quiet, send);
}
