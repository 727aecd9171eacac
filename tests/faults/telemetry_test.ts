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

/** Receives traces over OTLP/HTTP as JSON. @see OpenTelemetry Protocol 1.9, section OTLP/HTTP */
function startReceiver() {
  const spans: OtlpSpan[] = [];
  const bodies: string[] = [];
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const text = await request.text();
    bodies.push(text);
    if (new URL(request.url).pathname.endsWith("/traces")) {
      for (const resource of JSON.parse(text).resourceSpans ?? []) {
        for (const scope of resource.scopeSpans ?? []) spans.push(...scope.spans);
      }
    }
    return Response.json({});
  });
  return { spans, bodies, url: `http://127.0.0.1:${http.addr.port}`, close: () => http.shutdown() };
}

Deno.test("an execution is one span under the client's trace, its calls are children, no argument is in any", async () => {
  const receiver = startReceiver();
  const folder = await Deno.makeTempDir({ prefix: "toolgate-otel-" });
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const upstream = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
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
  try {
    const service = await startService(folder, {
      server: { port: 0 },
      store: `kv:${folder}/toolgate.kv`,
      policies: "open",
      mcpServers: { shop: { url: `http://127.0.0.1:${upstream.addr.port}/mcp` } },
    }, {
      env: {
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_BSP_SCHEDULE_DELAY: "50",
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
          arguments: { code: `return await tools.shop.touch({ card: "4111-planted" })` },
          _meta: {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            traceparent: `00-${traceId}-b7ad6b7169203331-01`,
          },
        },
      }),
    });
    assert.match(await response.text(), /done/);
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
    assert.ok(receiver.bodies.every((body) => !body.includes("4111-planted")));
  } finally {
    await upstream.shutdown();
    await receiver.close();
    await Deno.remove(folder, { recursive: true });
  }
});
