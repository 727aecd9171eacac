import type { RecordedCall } from "../../audit/load_execution.ts";
import { cutText, isWholeOf } from "../../audit/payloads/payload_box.ts";
import { toIdentifier } from "../../catalog/names.ts";
import type { ErrorCode } from "../../model/errors.ts";
import type { CallReply, SandboxCall } from "../../sandbox/run/sandbox_call.ts";

/** The place where a replay differs from the record. Texts are bounded. */
export interface Divergence {
  /** Number of the call; null for the outcome of the whole program. */
  readonly call: number | null;
  readonly what:
    | "not recorded"
    | "not made"
    | "tool"
    | "arguments"
    | "status"
    | "result"
    | "error";
  readonly recorded: string | null;
  readonly replayed: string | null;
}

/** Answers the calls of a replay from the record. */
export interface ReplayScript {
  answer(call: SandboxCall): Promise<CallReply>;
  /** The first call that differs from the record; null if none does. */
  divergence(): Divergence | null;
  /** The first call that was recorded and not made, if any. */
  missing(): Divergence | null;
  readonly matched: number;
  close(): void;
}

export interface ReplayScriptOptions {
  readonly calls: readonly RecordedCall[];
  /** Milliseconds since the replay began. */
  readonly elapsedMs: () => number;
  /** Called at the first call that differs from the record: later calls prove nothing. */
  readonly onDivergence: () => void;
}

const TEXT_MAX = 300;

/**
 * Answers come in the recorded order and not before their recorded times, so that a program which
 * races calls against each other or against timers takes the same path again.
 */
export function createReplayScript(options: ReplayScriptOptions): ReplayScript {
  const byIndex = new Map(options.calls.map((call) => [call.index, call]));
  const order = options.calls.filter((call) =>
    call.completion !== null && call.status !== "unknown"
  )
    .toSorted((a, b) => (a.completion ?? 0) - (b.completion ?? 0));
  const waiting = new Map<number, (reply: CallReply) => void>();
  const spelled = new Map<number, string>();
  let next = 0;
  let diverged: Divergence | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;

  /** Gives the next answers in order, as far as their recorded times have passed. */
  function pump(): void {
    if (timer !== null) return;
    for (let call = order[next]; call !== undefined; call = order[next]) {
      const reply = waiting.get(call.index);
      if (reply === undefined) return;
      const waitMs = (call.atMs ?? 0) - options.elapsedMs();
      if (waitMs > 0) {
        timer = setTimeout(() => {
          timer = null;
          pump();
        }, waitMs);
        return;
      }
      next++;
      waiting.delete(call.index);
      reply(replyOf(call, spelled.get(call.index) ?? ""));
    }
  }

  return {
    answer(call) {
      diverged ??= compareCall(byIndex.get(call.index), call);
      const { promise, resolve } = Promise.withResolvers<CallReply>();
      if (diverged !== null) {
        options.onDivergence();
        return promise; // the run is being stopped
      }
      spelled.set(call.index, `${call.server}.${call.tool}`);
      waiting.set(call.index, resolve);
      pump();
      return promise;
    },
    divergence: () => diverged,
    missing() {
      const call = options.calls.find(({ index }) => !spelled.has(index));
      if (call === undefined) return null;
      return {
        call: call.index,
        what: "not made",
        recorded: bounded(`${nameOf(call)}(${call.args ?? call.cutArgs?.head ?? ""})`),
        replayed: null,
      };
    },
    get matched() {
      return spelled.size;
    },
    close() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** @returns null if the call is the recorded one. */
function compareCall(recorded: RecordedCall | undefined, call: SandboxCall): Divergence | null {
  const args = JSON.stringify(call.args ?? (call.server === "" ? null : {}));
  const name = nameOf(call);
  if (recorded === undefined) {
    const replayed = bounded(`${name}(${args})`);
    return { call: call.index, what: "not recorded", recorded: null, replayed };
  }
  if (!isSameName(recorded.server, call.server) || !isSameName(recorded.tool, call.tool)) {
    const [was, is] = [bounded(nameOf(recorded)), bounded(name)];
    return { call: call.index, what: "tool", recorded: was, replayed: is };
  }
  if (recorded.cutArgs !== null && !isWholeOf(recorded.cutArgs, args)) {
    const { head, bytes, sha256 } = recorded.cutArgs;
    const [was, is] = excerpts(head, args);
    const whole = cutText(args);
    return {
      call: call.index,
      what: "arguments",
      recorded: `${was} (cut, ${bytes} bytes, sha256 ${sha256})`,
      replayed: `${is} (${whole.bytes} bytes, sha256 ${whole.sha256})`,
    };
  }
  // The record of a call to an unknown tool has no arguments.
  if (recorded.args === null || recorded.args === args) return null;
  const [was, is] = excerpts(recorded.args, args);
  return { call: call.index, what: "arguments", recorded: was, replayed: is };
}

/** Whether both are the same name; the record cuts long unknown names off. */
function isSameName(recorded: string, spelled: string): boolean {
  return recorded === spelled || toIdentifier(recorded) === spelled ||
    (recorded.length >= 100 && spelled.startsWith(recorded));
}

function replyOf(call: RecordedCall, spelled: string): CallReply {
  const at = call.atMs === null ? {} : { atMs: call.atMs };
  if (call.error === null) return { ok: true, json: call.result ?? "null", ...at };
  const { code, message, hint = "" } = call.error;
  const exists = code !== "ERR_TOOL_NOT_FOUND" && call.server !== "";
  const tool = exists ? `${toIdentifier(call.server)}.${toIdentifier(call.tool)}` : spelled;
  return { ok: false, error: { code: code as ErrorCode, message, hint, tool }, ...at };
}

function nameOf({ server, tool }: { readonly server: string; readonly tool: string }): string {
  return server === "" ? tool : `${server}.${tool}`;
}

/** Both texts around the first place where they differ. */
export function excerpts(a: string, b: string): [string, string] {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const from = Math.max(0, at - 60);
  const cut = (text: string) => `${from > 0 ? "…" : ""}${bounded(text.slice(from))}`;
  return [cut(a), cut(b)];
}

function bounded(text: string): string {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}
