import {
  type Context,
  context as otelContext,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

/**
 * OpenTelemetry spans by the MCP and GenAI semantic conventions: one `execute_tool` span per execution,
 * one client span per call under it. No span carries an argument, a result or a secret.
 *
 * Without an exporter (`OTEL_DENO`) the API does nothing and costs nothing.
 */
export interface ExecutionTrace {
  /** The context that calls of this execution are children of. */
  readonly context: Context;
  end(status: string, facts: { readonly [attribute: string]: string | number }): void;
}

const tracer = trace.getTracer("toolgate");

/** @param traceparent the client's, from `_meta`; W3C Trace Context. */
export function startExecution(
  executionId: string,
  space: string,
  traceparent: string | null,
): ExecutionTrace {
  const parent = traceparent === null
    ? otelContext.active()
    : propagation.extract(otelContext.active(), { traceparent });
  const span = tracer.startSpan("execute_tool execute", {
    kind: SpanKind.SERVER,
    attributes: {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "execute",
      "mcp.method.name": "tools/call",
      "toolgate.execution.id": executionId,
      "toolgate.space": space,
    },
  }, parent);
  return {
    context: trace.setSpan(parent, span),
    end(status, facts) {
      span.setAttributes({ "toolgate.execution.status": status, ...facts });
      finish(span, status === "ok" ? null : status);
    },
  };
}

export interface CallTrace {
  /** To send upstream; the client's own if nobody exports spans. */
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
  const span = tracer.startSpan(`tools/call ${tool}`, {
    kind: SpanKind.CLIENT,
    attributes: {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": tool,
      "mcp.method.name": "tools/call",
      "toolgate.server": server,
    },
  }, from);
  const carrier: { traceparent?: string } = {};
  if (span.isRecording()) propagation.inject(trace.setSpan(from, span), carrier);
  return {
    traceparent: carrier.traceparent ?? fallback,
    end: (errorCode) => finish(span, errorCode),
  };
}

function finish(span: Span, errorType: string | null): void {
  if (errorType !== null) {
    span.setAttribute("error.type", errorType);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}
