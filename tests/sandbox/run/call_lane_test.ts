import assert from "node:assert/strict";
import { readMessages } from "../../../src/rpc/protocol.ts";
import { createCallLane } from "../../../src/sandbox/run/call_lane.ts";
import { LIMITS } from "../open_pool.ts";

Deno.test("every answer is sent, in whatever moment it comes while another is being written", async () => {
  for (let later = 0; later < 40; later++) {
    const sent: string[] = [];
    const lane = createCallLane({
      limits: LIMITS,
      async onCall({ index }) {
        for (let turn = 0; turn < index * later; turn++) await Promise.resolve();
        return { ok: true, json: String(index) };
      },
      send(messages) {
        sent.push(messages);
        return Promise.resolve();
      },
    });
    for (const index of [0, 1]) assert.equal(lane.take(index, "a", "b", "{}"), null);
    await new Promise((resolve) => setTimeout(resolve));
    const messages = sent.flatMap((text) => readMessages(text, 10) ?? []);
    assert.deepEqual(messages.map(({ id }) => id), [0, 1], `${later} turns later`);
    lane.close();
  }
});
