/** Maximum of text that waits for its reader; further texts are only counted. */
const WAITING_CHARACTERS_MAX = 1_048_576;
const CHUNK_CHARACTERS_MAX = 65_536;
/** Pause before the next attempt when the disk is full or the reader is not ready. */
const RETRY_MS = 1_000;
const FLUSH_MS = 1_000;

export interface PatientWriter {
  /** Queues a text; never waits and never throws. */
  write(text: string): void;
  /** Waits until everything is written, for a short time at most. */
  flush(): Promise<void>;
}

export interface PatientWriterDeps {
  /** Writes some of the bytes and returns their number. */
  readonly write: (bytes: Uint8Array) => Promise<number>;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * A writer for the output of a running service. It needs no reader: if the reader is gone or slow,
 * or the disk is full, the service continues, and the log names the gap.
 */
export function createPatientWriter(deps: PatientWriterDeps): PatientWriter {
  const encoder = new TextEncoder();
  let waiting: string[] = [];
  let waitingCharacters = 0;
  let lost = 0;
  let isGone = false;
  let writing: Promise<void> | null = null;

  async function writeAll(): Promise<void> {
    while (!isGone && (waiting.length > 0 || lost > 0)) await writeChunk(takeChunk());
  }

  function takeChunk(): string {
    if (waiting.length === 0) {
      const note = `${lost} lines of this log were not written: nobody took them\n`;
      lost = 0;
      return note;
    }
    const chunk: string[] = [];
    let characters = 0;
    for (const text of waiting) {
      if (characters > 0 && characters + text.length > CHUNK_CHARACTERS_MAX) break;
      chunk.push(text);
      characters += text.length;
    }
    waiting = waiting.slice(chunk.length);
    waitingCharacters -= characters;
    return chunk.join("");
  }

  async function writeChunk(chunk: string): Promise<void> {
    const bytes = encoder.encode(chunk);
    for (let written = 0; written < bytes.length && !isGone;) {
      try {
        written += await deps.write(bytes.subarray(written));
      } catch (error) {
        // A reader that is gone does not come back, but a full disk may get space again.
        isGone = error instanceof Deno.errors.BrokenPipe;
        if (!isGone) await deps.sleep(RETRY_MS);
      }
    }
  }

  return {
    write(text) {
      if (isGone) return;
      if (waitingCharacters + text.length > WAITING_CHARACTERS_MAX) {
        lost++;
        return;
      }
      waiting.push(text);
      waitingCharacters += text.length;
      writing ??= writeAll().finally(() => writing = null);
    },
    async flush() {
      if (writing !== null) await Promise.race([writing, deps.sleep(FLUSH_MS)]);
    },
  };
}
