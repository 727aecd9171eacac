import assert from "node:assert/strict";
import { createLiveStreams } from "../../src/console/live_stream.ts";
import type { AuditRecord } from "../../src/model/event.ts";
import { shopRecords } from "./shop_records.ts";

const RECORD = shopRecords().find((record) => record.execution !== undefined) as AuditRecord;

function streams(quietMs = 5) {
  const listeners = new Set<(record: AuditRecord) => void>();
  return {
    listeners,
    tell: () => listeners.forEach((listener) => listener(RECORD)),
    streams: createLiveStreams({
      follow(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      quietMs,
      heartbeatMs: 60_000,
    }),
  };
}

function reader(response: Response) {
  const body = response.body?.getReader();
  assert.ok(body);
  return {
    async next() {
      const { value, done } = await body.read();
      return done ? null : new TextDecoder().decode(value);
    },
    cancel: () => body.cancel(),
  };
}

Deno.test("a stream sends the part at once and again when the log grows", async () => {
  const { streams: live, tell, listeners } = streams();
  let count = 0;
  const response = live.open({
    signal: new AbortController().signal,
    render: () => Promise.resolve(`<p>${++count}\nlines</p>`),
    isAllowed: () => Promise.resolve(true),
  });
  assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  const events = reader(response);
  assert.equal(await events.next(), "data: <p>1\ndata: lines</p>\n\n");
  tell();
  tell();
  assert.equal(await events.next(), "data: <p>2\ndata: lines</p>\n\n");
  await events.cancel();
  assert.equal(listeners.size, 0);
});

Deno.test("a stream ends with its session", async () => {
  const { streams: live, tell, listeners } = streams();
  let isAllowed = true;
  const events = reader(live.open({
    signal: new AbortController().signal,
    render: () => Promise.resolve("x"),
    isAllowed: () => Promise.resolve(isAllowed),
  }));
  assert.equal(await events.next(), "data: x\n\n");
  isAllowed = false;
  tell();
  assert.equal(await events.next(), null);
  assert.equal(listeners.size, 0);
});

Deno.test("a stream ends with its request, and when a page cannot be made", async () => {
  const { streams: live, listeners } = streams();
  const leaving = new AbortController();
  const left = reader(live.open({
    signal: leaving.signal,
    render: () => Promise.resolve("x"),
    isAllowed: () => Promise.resolve(true),
  }));
  assert.equal(await left.next(), "data: x\n\n");
  leaving.abort();
  const late = reader(live.open({
    signal: leaving.signal,
    render: () => Promise.resolve("x"),
    isAllowed: () => Promise.resolve(true),
  }));
  assert.equal(await late.next(), null);
  assert.equal(await left.next(), null);
  const broken = reader(live.open({
    signal: new AbortController().signal,
    render: () => Promise.reject(new Error("broken")),
    isAllowed: () => Promise.resolve(true),
  }));
  assert.equal(await broken.next(), null);
  assert.equal(listeners.size, 0);
});

Deno.test("a hundred readers are served, one more is asked to come back", async () => {
  const { streams: live } = streams();
  const open = () =>
    live.open({
      signal: new AbortController().signal,
      render: () => Promise.resolve("x"),
      isAllowed: () => Promise.resolve(true),
    });
  const readers = Array.from({ length: 100 }, () => reader(open()));
  const refused = open();
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get("retry-after"), "30");
  await refused.body?.cancel();
  await readers[0]?.cancel();
  const again = reader(open());
  assert.equal(await again.next(), "data: x\n\n");
  await Promise.all([...readers.slice(1), again].map((one) => one.cancel()));
});
