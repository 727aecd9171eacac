import assert from "node:assert/strict";
import fc from "fast-check";
import { createFrameReader, encodeFrame } from "../../src/rpc/frames.ts";

const frame = fc.record({
  type: fc.nat(255),
  stamp: fc.nat(0xffffffff),
  payload: fc.uint8Array({ maxLength: 300 }),
}, { noNullPrototype: true });

Deno.test("createFrameReader() finds the frames however the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }),
      (frames, cuts) => {
        const stream = frames.flatMap((
          entry,
        ) => [...encodeFrame(entry.type, entry.stamp, entry.payload)]);
        const seen: unknown[] = [];
        const reader = createFrameReader(() => 300);
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = cuts[turn % cuts.length]!;
          const fits = reader.push(new Uint8Array(stream.slice(at, at + size)), (found) => {
            seen.push({ type: found.type, stamp: found.stamp, payload: found.payload.slice() });
          });
          assert.ok(fits);
          at += size;
        }
        assert.deepEqual(seen, frames);
      },
    ),
  );
});

Deno.test("createFrameReader() refuses a frame one byte over its bound, before it arrives", () => {
  const reader = createFrameReader(() => 10);
  let count = 0;
  assert.ok(reader.push(encodeFrame(1, 0, new Uint8Array(10)), () => count++));
  assert.equal(
    reader.push(encodeFrame(1, 0, new Uint8Array(11)).subarray(0, 9), () => count++),
    false,
  );
  assert.equal(count, 1);
});

Deno.test("createFrameReader() takes a large frame in small pieces", () => {
  const payload = new Uint8Array(5_000_000).fill(7);
  const whole = encodeFrame(2, 3, payload);
  const reader = createFrameReader(() => 6_000_000);
  let length = 0;
  for (let at = 0; at < whole.length; at += 65_536) {
    reader.push(whole.subarray(at, at + 65_536), (found) => (length = found.payload.length));
  }
  assert.equal(length, payload.length);
});
