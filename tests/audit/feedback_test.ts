import assert from "node:assert/strict";
import {
  feedbackEvent,
  FeedbackSchema,
  modelUsageEvent,
  ModelUsageSchema,
} from "../../src/audit/feedback.ts";

const ACTOR = { sub: "ada", iss: "keys", client: "cli", groups: [], scopes: [] };

Deno.test("reports of clients must say what they are about, and nothing unknown", () => {
  assert.equal(FeedbackSchema.safeParse({ success: true }).success, false);
  assert.equal(FeedbackSchema.safeParse({ success: true, task: "t" }).success, true);
  assert.equal(FeedbackSchema.safeParse({ success: 1, task: "t" }).success, false);
  assert.equal(FeedbackSchema.safeParse({ success: true, task: "t", more: 1 }).success, false);
  assert.equal(
    FeedbackSchema.safeParse({ success: true, task: "t", comment: "x".repeat(1_001) }).success,
    false,
  );
  const usage = { model: "m", inputTokens: 1, outputTokens: 2 };
  assert.equal(ModelUsageSchema.safeParse({ ...usage, trace: "t" }).success, true);
  assert.equal(ModelUsageSchema.safeParse(usage).success, false);
  assert.equal(
    ModelUsageSchema.safeParse({ ...usage, trace: "t", inputTokens: -1 }).success,
    false,
  );
});

Deno.test("feedbackEvent() and modelUsageEvent() make admin records that name their task", () => {
  assert.deepEqual(feedbackEvent({ execution: "e", success: false, comment: "wrong" }, ACTOR), {
    kind: "admin",
    actor: ACTOR,
    execution: "e",
    detail: { type: "feedback", success: false, comment: "wrong" },
  });
  const usage = { task: "t", model: "m", inputTokens: 10, outputTokens: 5 };
  assert.deepEqual(modelUsageEvent({ ...usage, usd: 0.5 }, ACTOR), {
    kind: "admin",
    actor: ACTOR,
    task: "t",
    cost: 0.5,
    detail: { type: "usage", model: "m", inputTokens: 10, outputTokens: 5 },
  });
  assert.equal("cost" in modelUsageEvent(usage, ACTOR), false);
});
