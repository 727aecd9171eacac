import assert from "node:assert/strict";
import type { AuditRecord } from "../../src/model/event.ts";
import { createTaskTracker, factsOf, type Task } from "../../src/usage/task_tracker.ts";
import { START_MS, writeLog } from "./usage_fixture.ts";

function track(options: { tasksMax?: number; executionsMax?: number } = {}) {
  const log = writeLog();
  const ended: Task[] = [];
  const tracker = createTaskTracker({
    tasksMax: 10,
    executionsMax: 10,
    onEnd: (task) => ended.push(task),
    ...options,
  });
  /** Adds a record at a second, and shows it to the tracker. */
  const see = (at: number, ...[kind, change]: [AuditRecord["kind"], object?]) => {
    log.add(at, kind, change);
    return tracker.touch(log.records.at(-1) as AuditRecord, START_MS + at * 1_000);
  };
  const last = () => log.records.at(-1) as AuditRecord;
  return { tracker, ended, see, last };
}

Deno.test("records of one client belong together until a pause of more than five minutes", () => {
  const { see, ended } = track();
  const first = see(0, "search");
  assert.equal(see(300, "search"), first);
  assert.deepEqual(ended, []);
  assert.notEqual(see(601, "search"), first);
  assert.deepEqual(ended, [first]);
  assert.equal(first?.isOver, true);
  assert.equal(first?.lastMs, START_MS + 300_000);
});

Deno.test("a task with a name of its own is not ended by a pause", () => {
  const { see, ended } = track();
  const first = see(0, "search", { task: "t" });
  assert.equal(see(9_000, "search", { task: "t" }), first);
  assert.deepEqual(ended, []);
});

Deno.test("later records of an execution belong to the task that began it", () => {
  const { see, tracker, last } = track();
  const task = see(0, "execution.start", { execution: "e", task: "t" });
  assert.ok(task !== null);
  assert.equal(see(1, "call.outcome", { execution: "e" }), task, "without the task's name");
  const execution = tracker.execution(last(), task);
  assert.equal(execution?.task, task);
  const other = see(2, "search");
  assert.ok(other !== null);
  assert.equal(tracker.execution(last(), other), null);
});

Deno.test("above the bound the task that was quiet for longest ends, and the cut is told", () => {
  const { see, ended, tracker } = track({ tasksMax: 2 });
  const a = see(0, "search", { task: "a" });
  see(1, "search", { task: "b" });
  see(2, "search", { task: "a" });
  assert.equal(tracker.isCut, false);
  see(3, "search", { task: "c" });
  assert.equal(tracker.isCut, true);
  assert.equal(ended.length, 1);
  assert.notEqual(ended[0], a);
});

Deno.test("a report finds the task of its execution while that is known, and begins none", () => {
  const { see, tracker, last } = track({ executionsMax: 1 });
  const task = see(0, "execution.start", { execution: "e1", task: "t" });
  const find = (change: Partial<AuditRecord>) => tracker.find({ ...last(), ...change }, START_MS);
  assert.equal(find({ execution: "e1" }), task);
  see(1, "execution.start", { execution: "e2", task: "t" });
  assert.equal(find({ execution: "e1" }), null, "only one execution is remembered");
  const { execution: _, ...withoutExecution } = last();
  assert.equal(tracker.find({ ...withoutExecution, task: "t" }, START_MS), task);
  assert.equal(tracker.find({ ...withoutExecution, task: "unknown" }, START_MS), null);
});

Deno.test("endAll() ends every task once, and the facts say what came of each", () => {
  const { see, tracker, ended } = track();
  const task = see(0, "execution.start", { execution: "e", task: "a" });
  see(4, "execution.end", { execution: "e" });
  assert.ok(task !== null);
  task.lastExecuteOk = true;
  task.executions = 1;
  see(5, "search", { task: "b" });
  tracker.endAll();
  tracker.endAll();
  assert.equal(ended.length, 2);
  const facts = factsOf(task);
  assert.deepEqual([facts.worked, facts.executions, facts.wallMs], [true, 1, 4_000]);
});
