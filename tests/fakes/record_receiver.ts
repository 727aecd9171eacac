/**
 * A receiver of audit records in its own process, on Node's HTTP server: `deno run
 * record_receiver.ts` prints its port. `POST /mode` sets its behaviour, `GET /seen` lists the
 * batches.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface ReceiverMode {
  /**
   * `take`: any batch up to `bytesMax`, else 413. `cut`: 413 before the body was read, then the
   * connection ends. `drop`: ends the connection without an answer above `bytesMax`. A number: that
   * status, always.
   */
  readonly answer: "take" | "cut" | "drop" | number;
  readonly bytesMax: number;
  /** The status for a batch above `bytesMax`; 413 by default. */
  readonly tooLarge?: number;
  /** A batch with one of these texts gets status 400, also if the record has lost its texts. */
  readonly refuses?: readonly string[];
}

export interface SeenBatch {
  /** The status of the answer; 0 without an answer. */
  readonly status: number;
  readonly key: string;
  readonly body: string;
}

const LARGEST = 100_000_000;
let mode: ReceiverMode = { answer: "take", bytesMax: LARGEST };
const seen: SeenBatch[] = [];

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const key = String(request.headers["idempotency-key"] ?? "");
  const announced = Number(request.headers["content-length"] ?? 0);
  const { answer, bytesMax } = mode;
  if (answer === "cut" && announced > bytesMax) {
    seen.push({ status: 413, key, body: "" });
    response.writeHead(413, { connection: "close" }).end(() => request.socket.destroy());
    return;
  }
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  if (request.url === "/mode") {
    mode = JSON.parse(body);
    response.end();
    return;
  }
  if (request.url === "/seen") {
    response.end(JSON.stringify(seen.splice(0)));
    return;
  }
  const isTooLarge = Buffer.byteLength(body) > bytesMax;
  if (answer === "drop" && isTooLarge) {
    seen.push({ status: 0, key, body });
    request.socket.destroy();
    return;
  }
  const status = typeof answer === "number"
    ? answer
    : isTooLarge
    ? mode.tooLarge ?? 413
    : (mode.refuses ?? []).some((text) => body.includes(text))
    ? 400
    : 200;
  seen.push({ status, key, body });
  const isRedirect = status >= 300 && status < 400;
  response.writeHead(status, isRedirect ? { location: "http://login.test/in?token=s3cret" } : {});
  response.end();
}

if (import.meta.main) {
  const server = createServer((request, response) => {
    receive(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    console.log(typeof address === "object" ? address?.port : "");
  });
}
