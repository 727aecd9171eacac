/**
 * Anchors: places outside the store that keep checkpoints. An attacker who can write the store
 * cannot secretly remove records that an anchor covers.
 *
 * A target is a file or an http(s) URL; a URL gets the note by POST as `text/plain`. An anchor that
 * does not answer never delays the log: the newest note is tried again.
 */
import { siteFetch } from "../../dial/site_fetch.ts";
import { pause } from "../../model/time/pause.ts";
import { withinMs } from "../../model/time/within_ms.ts";
import { splitNotes } from "./checkpoint.ts";

const FILE_BYTES_MAX = 1_048_576;
const POST_TIMEOUT_MS = 10_000;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;
const CLOSE_PATIENCE_MS = 3_000;

export interface AnchorStatus {
  readonly target: string;
  /** Why the target does not have the newest note yet; null when it has. */
  readonly error: string | null;
}

export interface Anchors {
  /** Sends a note to every target, in the background. */
  push(note: string): void;
  status(): AnchorStatus[];
  /** Waits a short time for writes under way. */
  close(): Promise<void>;
}

interface Target {
  readonly target: string;
  readonly write: (note: string, signal: AbortSignal) => Promise<void>;
  pending: string | null;
  running: Promise<void> | null;
  error: string | null;
}

export function openAnchors(
  deps: { targets: readonly string[]; log: (message: string) => void },
): Anchors {
  const closing = new AbortController();
  const targets = deps.targets.map((target): Target => ({
    target,
    write: /^https?:/.test(target)
      ? (note, signal) => postNote(target, note, signal)
      : (note) => appendNote(target, note),
    pending: null,
    running: null,
    error: null,
  }));

  async function work(target: Target): Promise<void> {
    let pauseMs = RETRY_MIN_MS;
    while (target.pending !== null) {
      const note = target.pending;
      try {
        await target.write(note, closing.signal);
        target.error = null;
        // A newer note may be pending by now, and must stay so.
        if (target.pending === note) target.pending = null;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (target.error === null) deps.log(`audit: cannot anchor at ${target.target}: ${reason}`);
        target.error = reason;
        if (closing.signal.aborted) return;
        await pause(pauseMs, closing.signal);
        pauseMs = Math.min(RETRY_MAX_MS, pauseMs * 2);
      }
    }
  }

  function start(target: Target): void {
    target.running ??= work(target).finally(() => {
      target.running = null;
      if (target.pending !== null && !closing.signal.aborted) start(target);
    });
  }

  return {
    push(note) {
      for (const target of targets) {
        target.pending = note;
        start(target);
      }
    },
    status: () => targets.map(({ target, error }) => ({ target, error })),
    async close() {
      const running = (one: readonly Target[]) => Promise.all(one.map((target) => target.running));
      // Do not wait for targets whose last write failed.
      await withinMs(running(targets.filter(({ error }) => error === null)), CLOSE_PATIENCE_MS);
      closing.abort();
      await running(targets);
    },
  };
}

/** The notes in a file; none if the file does not exist. */
export async function readAnchorFile(path: string): Promise<string[]> {
  try {
    return splitNotes(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function appendNote(path: string, note: string): Promise<void> {
  const folder = path.slice(0, Math.max(1, path.lastIndexOf("/")));
  if (path.includes("/")) await Deno.mkdir(folder, { recursive: true });
  const file = await Deno.open(path, { create: true, append: true, mode: 0o600 });
  try {
    const bytes = new TextEncoder().encode(note);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
    if ((await file.stat()).size <= FILE_BYTES_MAX) return;
  } finally {
    file.close();
  }
  await shrinkFile(path);
}

/** Keeps the newer half of the notes: newer notes cover everything that older ones cover. */
async function shrinkFile(path: string): Promise<void> {
  const notes = splitNotes(await Deno.readTextFile(path));
  const temporary = `${path}.new`;
  await Deno.writeTextFile(temporary, notes.slice(notes.length >> 1).join(""), { mode: 0o600 });
  await Deno.rename(temporary, path);
}

async function postNote(url: string, note: string, signal: AbortSignal): Promise<void> {
  const response = await siteFetch(url, {
    method: "POST",
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: note,
    redirect: "error",
    signal: AbortSignal.any([signal, AbortSignal.timeout(POST_TIMEOUT_MS)]),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`it answered ${response.status}`);
}
