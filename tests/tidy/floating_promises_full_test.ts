import assert from "node:assert/strict";
import { findFloating } from "./floating_promises.ts";
import { listFiles } from "./source_files.ts";

/** Promises that need no handler, with the reason; each text is the start of the statement. */
const NEVER_FAIL: { readonly [place: string]: string } = {
  "src/sandbox/run/call_lane.ts: void reply(": "what cannot be sent is told by the host's death",
  "src/sandbox/run/call_lane.ts: void answer(": "a call that throws is answered with its error",
  "src/sandbox/run/run_program.ts: void host.send(": "a host that died is told by its death",
  "src/sandbox/pool/recycle_host.ts: void process.send(": "a host that died is told by its death",
  "src/upstream/mcp/connection_keeper.ts: void this.#revive()": "it catches everything",
  "src/console/live_stream.ts: setTimeout(send,": "it closes its stream when it fails",
  "src/audit/ship/ship.ts: setInterval(countAll,": "it catches everything",
  "src/policy/reload_policy.ts: setTimeout(reloadByItself,": "it catches everything",
  "src/policy/active_policy.ts: void reloads.reloadByItself()": "it catches everything",
  "src/usage/storage_budget.ts: void write(": "it catches everything, and what it counts waits",
  "workers/worker_main.ts: p.then( digestBytes": "the third argument hears of a failure",
  "workers/realm/program.ts: void run(program)": "it ends the program, however that goes",
};

async function platformTypes(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["types"] }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("findFloating() finds what nobody waits for, and nothing else", async () => {
  const text = `
declare function work(): Promise<number>;
declare const listener: { on(callback: () => void): void; handle(callback: () => unknown): void };
let kept: Promise<number> | null = null;
export async function main(): Promise<void> {
  work();                                     // floats
  void work();                                // floats
  work().finally(() => {});                   // floats
  work().then(() => {});                      // floats
  setTimeout(() => work(), 1);                // floats
  setTimeout(async () => { await work(); });  // floats
  listener.on(work);                          // floats
  work().catch(() => {});
  work().then(() => {}, () => {});
  await work();
  kept = work();
  listener.handle(() => work());
  setTimeout(() => { work().catch(() => {}); }, 1);
  const all = [1].map(() => work());
  await Promise.all(all);
  await kept;
}`;
  const found = findFloating([], await platformTypes(), new Map([["/sample.ts", text]]));
  const expected = text.split("\n").flatMap((line, index) =>
    line.includes("// floats") ? [index + 1] : []
  );
  assert.deepEqual([...new Set(found.map(({ line }) => line))], expected);
});

Deno.test("somebody hears of every promise's failure", async () => {
  const root = Deno.cwd();
  const files = ["src", "workers"].flatMap((folder) =>
    listFiles(folder, (path) => /\.tsx?$/.test(path))
  );
  assert.ok(files.length > 300);
  const found = findFloating(
    files.map((path) => `${root}/${path}`),
    await platformTypes(),
  ).map(({ path, line, text }) => ({ place: path.slice(root.length + 1), line, text }));
  const used = new Set<string>();
  const wrong = found.filter(({ place, text }) => {
    const known = Object.keys(NEVER_FAIL).find((key) => `${place}: ${text}`.startsWith(key));
    if (known !== undefined) used.add(known);
    return known === undefined;
  });
  assert.deepEqual(
    wrong.map(({ place, line, text }) => `${place}:${line} ${text.slice(0, 120)}`),
    [],
  );
  assert.deepEqual([...used].toSorted(), Object.keys(NEVER_FAIL).toSorted());
});
