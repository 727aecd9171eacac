import { stripTypeScriptTypes } from "node:module";

/** Answers a call of a program. */
export type NaiveTools = (tool: string, args: unknown) => Promise<unknown>;

/**
 * A naive sandbox, for comparison: a fresh Worker without permissions in the service's own process
 * for each program, with objects over postMessage.
 */
export function runInNaiveWorker(code: string, tools: NaiveTools): Promise<unknown> {
  const body = stripTypeScriptTypes(`(async () => {${code}\n})`, { mode: "strip" });
  const url = URL.createObjectURL(new Blob([BOOT, body, START], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module", deno: { permissions: "none" } });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  worker.onmessage = async ({ data }) => {
    if ("done" in data) resolve(data.done);
    else if ("failed" in data) reject(new Error(data.failed));
    else worker.postMessage({ id: data.id, value: await tools(data.tool, data.args) });
  };
  return promise.finally(() => {
    worker.terminate();
    URL.revokeObjectURL(url);
  });
}

const BOOT = `
  let last = 0; const pending = new Map();
  globalThis.onmessage = ({ data }) => { pending.get(data.id)(data.value); pending.delete(data.id); };
  const call = (tool) => (args) => new Promise((done) => { pending.set(++last, done); postMessage({ id: last, tool, args }); });
  globalThis.tools = new Proxy({}, { get: (_, server) => new Proxy({}, { get: (_, tool) => call(server + "." + tool) }) });
  const run = `;
const START = `
  ;run().then((done) => postMessage({ done }), (error) => postMessage({ failed: String(error) }));`;
