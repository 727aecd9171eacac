import assert from "node:assert/strict";
import type { HostMessage } from "../../../src/rpc/protocol.ts";
import type { HostListener, HostProcess } from "../../../src/sandbox/host/host_process.ts";
import { recycleHost } from "../../../src/sandbox/pool/recycle_host.ts";

/** What recycling makes of what the host says. */
function verdictOn(...said: readonly HostMessage[]): string[] {
  const listeners: (HostListener | null)[] = [];
  const verdicts: string[] = [];
  const process: HostProcess = {
    pid: 0,
    ready: new Promise(() => {}),
    death: new Promise(() => {}),
    listen: (listener) => void listeners.push(listener),
    send: () => Promise.resolve(),
    kill() {},
  };
  const deadline = recycleHost(process, {
    cpuTotalMsMax: 100,
    onFit: () => verdicts.push("fit"),
    onUnfit: () => verdicts.push("unfit"),
  });
  listeners[0]!.onWorkerText("late", 0);
  for (const message of said) listeners.at(-1)?.onHostMessage(message, 0);
  deadline.cancel();
  return verdicts;
}

const idle = (workers: number, cpuTotalMs: number): HostMessage => ({
  kind: "idle",
  workers,
  cpuTotalMs,
});

Deno.test("recycleHost() keeps a host that has Workers and time left", () => {
  assert.deepEqual(verdictOn(idle(1, 100)), ["fit"]);
  assert.deepEqual(verdictOn({ kind: "usage" }, idle(1, 0)), ["fit"]);
});

Deno.test("recycleHost() keeps no host that is used up or says something else", () => {
  assert.deepEqual(verdictOn(idle(0, 0)), ["unfit"]);
  assert.deepEqual(verdictOn(idle(1, 101)), ["unfit"]);
  assert.deepEqual(verdictOn({ kind: "violation", what: "no" }), ["unfit"]);
  assert.deepEqual(verdictOn({ kind: "usage" }), []);
});

Deno.test("recycleHost() hears an answer once", () => {
  assert.deepEqual(verdictOn(idle(1, 0), idle(0, 0)), ["fit"]);
});
