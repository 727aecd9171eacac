import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from "@modelcontextprotocol/client";
import assert from "node:assert/strict";
import { judgeFailure } from "../../../src/upstream/mcp/session_loss.ts";

function http(status: number, body: unknown): SdkHttpError {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new SdkHttpError(SdkErrorCode.ClientHttpNotImplemented, text, {
    status,
    statusText: "",
    text,
  });
}

const rpc = (message: string, code = -32_000, id: unknown = null) => ({
  jsonrpc: "2.0",
  id,
  error: { code, message },
});

function live(more: { era?: "modern" | "legacy"; hasSession?: boolean; ping?: boolean } = {}) {
  return {
    era: more.era ?? "legacy" as const,
    hasSession: more.hasSession ?? true,
    answersPing: () => Promise.resolve(more.ping ?? true),
  };
}

/** How servers answer a request in a session that they do not know. */
const LOST: { readonly [sdk: string]: Error } = {
  "TypeScript, unknown": http(404, rpc("Session not found", -32_001)),
  "TypeScript, not initialized": http(400, rpc("Bad Request: Server not initialized")),
  "TypeScript, no header": http(400, rpc("Bad Request: Mcp-Session-Id header is required")),
  "TypeScript, examples": http(400, rpc("Bad Request: No valid session ID provided")),
  "TypeScript, examples in text": http(400, "Invalid or missing session ID"),
  "Python, now": http(404, rpc("Session not found", -32_600, "server-error")),
  "Python, before": http(400, "Bad Request: No valid session ID provided"),
  "Python, ended": http(
    404,
    rpc("Not Found: Session has been terminated", -32_600, "server-error"),
  ),
  "Python, another": http(
    404,
    rpc("Not Found: Invalid or expired session ID", -32_600, "server-error"),
  ),
  "Python, no header": http(400, rpc("Bad Request: Missing session ID", -32_600, "server-error")),
  "Python, SSE": http(404, "Could not find session"),
  "Python, no handshake": new ProtocolError(-32_602, "Invalid request parameters", ""),
  "Go, unknown": http(404, "session not found"),
  "Go, no handshake": new ProtocolError(
    0,
    'method "tools/call" is invalid during session initialization',
  ),
  "Go, mcp-go": http(400, "Invalid session ID"),
  "Rust, before": http(401, "Unauthorized: Session not found"),
  "Rust, no header": http(401, "Unauthorized: Session ID is required"),
  "Rust, no handshake": http(422, "Unexpected message, expect initialize request"),
  "Java": http(404, { code: -32_603, message: "Session not found: 5d2c" }),
  "Java, no header": http(400, {
    code: -32_603,
    message: "Session ID required in mcp-session-id header",
  }),
  "C#": http(
    400,
    rpc("Bad Request: A new session can only be created by an initialize request.", -32_000),
  ),
  "PHP": http(404, rpc("Session not found or has expired.", -32_600)),
  "an event stream": http(
    404,
    `event: message\ndata: ${JSON.stringify(rpc("Session not found"))}\n\n`,
  ),
  "an answer in status 200": new ProtocolError(-32_001, "Session not found"),
  "an answer of a server that began anew": new ProtocolError(-32_600, "Server not initialized"),
  "a bare 404": http(404, ""),
  "gone": http(410, "Gone"),
};

for (const [sdk, error] of Object.entries(LOST)) {
  Deno.test(`a session is lost: ${sdk}`, async () => {
    assert.equal(await judgeFailure(error, live(), {}), "repeat");
    assert.equal(await judgeFailure(error, live({ era: "modern" }), {}), "keep");
  });
}

Deno.test("a refusal that does not say why loses the session only if ping fails too", async () => {
  for (const status of [400, 401, 403, 409, 412, 422]) {
    assert.equal(await judgeFailure(http(status, ""), live({ ping: false }), {}), "repeat");
    assert.equal(await judgeFailure(http(status, ""), live({ ping: true }), {}), "keep");
  }
  assert.equal(
    await judgeFailure(http(400, rpc("Bad Request")), live({ ping: false }), {}),
    "repeat",
  );
});

Deno.test("a server that failed may have acted: it is asked anew, and nothing is repeated", async () => {
  const failed = http(500, "Cannot read properties of undefined (reading 'handleRequest')");
  assert.equal(await judgeFailure(failed, live({ ping: false }), {}), "renew");
  assert.equal(await judgeFailure(failed, live({ ping: true }), {}), "keep");
});

Deno.test("what a tool says of its own session loses none of ours", async () => {
  const args = { sessionId: "browser-1" };
  const own = new ProtocolError(-32_001, "Session not found: browser-1");
  assert.equal(await judgeFailure(own, live(), args), "keep");
  assert.equal(
    await judgeFailure(http(404, rpc("Session not found", -32_001, 3)), live(), args),
    "keep",
  );
  const internal = new ProtocolError(-32_603, "Database session expired");
  assert.equal(await judgeFailure(internal, live(), {}), "keep");
  assert.equal(
    await judgeFailure(new ProtocolError(-32_602, "Invalid session type"), live(), {}),
    "keep",
  );
});

Deno.test("answers, other errors and connections without a session keep the connection", async () => {
  const answer = http(400, rpc("Parameter city is required", -32_602, 7));
  assert.equal(await judgeFailure(answer, live({ ping: false }), {}), "keep");
  assert.equal(await judgeFailure(http(404, "no"), live({ hasSession: false }), {}), "keep");
  assert.equal(await judgeFailure(http(429, ""), live({ ping: false }), {}), "keep");
  assert.equal(
    await judgeFailure(new SdkError(SdkErrorCode.RequestTimeout, ""), live(), {}),
    "keep",
  );
  const closed = new SdkError(SdkErrorCode.ConnectionClosed, "Connection closed");
  assert.equal(await judgeFailure(closed, live(), {}), "renew");
});
