import assert from "node:assert/strict";
import { startService } from "../fakes/service.ts";

interface OtlpSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string };
  }[];
}

/** An API that takes arguments and its key in the query. */
const THINGS = {
  openapi: "3.0.3",
  info: { title: "Things", version: "1" },
  security: [{ key: [] }],
  components: { securitySchemes: { key: { type: "apiKey", in: "query", name: "key" } } },
  paths: {
    "/things": {
      get: {
        operationId: "things",
        parameters: [{ name: "card", in: "query", schema: { type: "string" } }],
        responses: {},
      },
    },
  },
};

/** Receives traces and metrics over OTLP/HTTP as JSON. @see OpenTelemetry Protocol 1.9, section OTLP/HTTP */
function startReceiver() {
  const spans: OtlpSpan[] = [];
  const bodies: string[] = [];
  const metrics = new Set<string>();
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const text = await request.text();
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/v1/")) return new Response(); // a sink of the audit log
    bodies.push(text);
    const { resourceSpans = [], resourceMetrics = [] } = JSON.parse(text);
    for (const { scopeSpans } of resourceSpans) {
      for (const scope of scopeSpans) spans.push(...scope.spans);
    }
    for (const { scopeMetrics } of resourceMetrics) {
      for (const scope of scopeMetrics) {
        for (const { name } of scope.metrics) metrics.add(name);
      }
    }
    return Response.json({});
  });
  return {
    spans,
    metrics,
    bodies,
    url: `http://127.0.0.1:${http.addr.port}`,
    close: () => http.shutdown(),
  };
}

Deno.test("an execution is one span under the client's trace, its calls are children, no argument is in any", async () => {
  const receiver = startReceiver();
  const folder = await Deno.makeTempDir({ prefix: "toolgate-otel-" });
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const upstream = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      if (new URL(request.url).pathname === "/things") {
        headers.push(request.headers.get("traceparent"));
        return Response.json([]);
      }
      if (request.method !== "POST") return new Response(null, { status: 405 });
      const message = await request.json();
      const answers: { [method: string]: unknown } = {
        initialize: {
          protocolVersion: "2025-06-18",
          capabilities: { tools: {} },
          serverInfo: { name: "u", version: "1" },
        },
        "tools/list": { tools: [{ name: "touch", inputSchema: { type: "object" } }] },
        "tools/call": { content: [{ type: "text", text: "done" }] },
      };
      if (message.method === "tools/call") traceparents.push(message.params._meta?.traceparent);
      const result = answers[message.method];
      if (message.id === undefined) return new Response(null, { status: 202 });
      return Response.json(
        result === undefined
          ? { jsonrpc: "2.0", id: message.id, error: { code: -32601, message: "no" } }
          : { jsonrpc: "2.0", id: message.id, result },
      );
    },
  );
  const traceparents: string[] = [];
  const headers: (string | null)[] = [];
  await Deno.writeTextFile(`${folder}/things.json`, JSON.stringify(THINGS));
  try {
    const service = await startService(folder, {
      server: { port: 0 },
      store: `kv:${folder}/toolgate.kv`,
      policies: "open",
      mcpServers: { shop: { url: `http://127.0.0.1:${upstream.addr.port}/mcp` } },
      openapi: {
        api: {
          spec: `${folder}/things.json`,
          baseUrl: `http://127.0.0.1:${upstream.addr.port}`,
          security: { key: "planted-secret" },
        },
      },
      audit: { ship: [{ to: `${receiver.url}/planted-sink?token=x`, every: "100ms" }] },
    }, {
      env: {
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_BSP_SCHEDULE_DELAY: "50",
        OTEL_TRACES_SAMPLER: "parentbased_always_on",
      },
    });
    const response = await fetch(`${service.url}/mcp`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "execute",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: {
          name: "execute",
          arguments: {
            code: `await tools.api.things({ card: "4111-planted" });
              return await tools.shop.touch({ card: "4111-planted" })`,
          },
          _meta: {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            traceparent: `00-${traceId}-b7ad6b7169203331-01`,
          },
        },
      }),
    });
    assert.match(await response.text(), /done/);
    // Metrics come when the service ends. The runtime (Deno 2.9.6) hangs at its end where that meets an
    // export that comes by itself, so the interval stays at its default, a minute.
    await service.stop();

    const execution = receiver.spans.find((span) => span.name === "execute_tool execute");
    const call = receiver.spans.find((span) => span.name === "tools/call touch");
    assert.ok(
      execution !== undefined && call !== undefined,
      receiver.spans.map((s) => s.name).join(),
    );
    assert.equal(execution.traceId, traceId);
    assert.equal(execution.parentSpanId, "b7ad6b7169203331");
    assert.equal(call.parentSpanId, execution.spanId);
    assert.deepEqual(traceparents, [`00-${traceId}-${call.spanId}-01`]);
    const attributes = new Map(
      execution.attributes.map(({ key, value }) => [key, value.stringValue]),
    );
    assert.equal(attributes.get("gen_ai.operation.name"), "execute_tool");
    const asked = receiver.spans.find((span) => span.name === "tools/call things");
    assert.deepEqual(headers, [`00-${traceId}-${asked?.spanId}-01`]);
    for (const kind of ["server", "client"]) {
      assert.ok(receiver.metrics.has(`mcp.${kind}.operation.duration`), kind);
    }
    for (const planted of ["4111-planted", "planted-secret", "planted-sink"]) {
      assert.ok(receiver.bodies.every((body) => !body.includes(planted)), planted);
    }
  } finally {
    await upstream.shutdown();
    await receiver.close();
    await Deno.remove(folder, { recursive: true });
  }
});
