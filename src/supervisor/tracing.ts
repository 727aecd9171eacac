import {
  type Context,
  context as otelContext,
  metrics,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

/**
 * OpenTelemetry spans and metrics by the MCP and GenAI semantic conventions: one `execute_tool`
 * span per execution, one client span per call below it, and the duration of both. Neither carries
 * an argument, a result or a secret.
 *
 * Without an exporter (`OTEL_DENO`) the API does nothing and costs nothing.
 */
export interface ExecutionTrace {
  /** The parent context of this execution's calls. */
  readonly context: Context;
  end(status: string, facts: { readonly [attribute: string]: string | number }): void;
}

const tracer = trace.getTracer("toolgate");
const meter = metrics.getMeter("toolgate");
const DURATION = {
  unit: "s",
  advice: {
    explicitBucketBoundaries: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
  },
};
const serverSeconds = meter.createHistogram("mcp.server.operation.duration", DURATION);
const clientSeconds = meter.createHistogram("mcp.client.operation.duration", DURATION);

/** @param traceparent the client's, from `_meta`; W3C Trace Context. */
export function startExecution(
  executionId: string,
  space: string,
  traceparent: string | null,
): ExecutionTrace {
  const parent = traceparent === null
    ? otelContext.active()
    : propagation.extract(otelContext.active(), { traceparent });
  const operation = operationOf("execute");
  const startedAt = performance.now();
  const span = tracer.startSpan("execute_tool execute", {
    kind: SpanKind.SERVER,
    attributes: {
      ...operation,
      "toolgate.execution.id": executionId,
      "toolgate.space": space,
    },
  }, parent);
  return {
    context: trace.setSpan(parent, span),
    end(status, facts) {
      span.setAttributes({ "toolgate.execution.status": status, ...facts });
      const errorType = status === "ok" ? null : status;
      serverSeconds.record(secondsSince(startedAt), { ...operation, ...errorAttribute(errorType) });
      finish(span, errorType);
    },
  };
}

export interface CallTrace {
  /** The value to send upstream: the client's own if no exporter is configured. */
  readonly traceparent: string | null;
  end(errorCode: string | null): void;
}

export function startCall(
  parent: Context | null,
  fallback: string | null,
  server: string,
  tool: string,
): CallTrace {
  const from = parent ?? otelContext.active();
  const operation = { ...operationOf(tool), "toolgate.server": server };
  const startedAt = performance.now();
  const span = tracer.startSpan(`tools/call ${tool}`, {
    kind: SpanKind.CLIENT,
    attributes: operation,
  }, from);
  const carrier: { traceparent?: string } = {};
  if (span.isRecording()) propagation.inject(trace.setSpan(from, span), carrier);
  return {
    traceparent: carrier.traceparent ?? fallback,
    end(errorCode) {
      clientSeconds.record(secondsSince(startedAt), { ...operation, ...errorAttribute(errorCode) });
      finish(span, errorCode);
    },
  };
}

function operationOf(tool: string) {
  return {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": tool,
    "mcp.method.name": "tools/call",
  };
}

function errorAttribute(errorType: string | null): { "error.type"?: string } {
  return errorType === null ? {} : { "error.type": errorType };
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1_000;
}

function finish(span: Span, errorType: string | null): void {
  if (errorType !== null) {
    span.setAttribute("error.type", errorType);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}
