/**
 * Joins texts of one turn of the event loop, and texts that arrive during a write, into one write.
 */
export interface GatheredWriter {
  /** Resolves when the text is written, together with the other waiting texts. */
  push(text: string): Promise<void>;
  /** Characters that are not part of a write yet. */
  waitingChars(): number;
}

/**
 * @param write is called for one write at a time
 * @param charsMax the most characters of texts that share a write; a longer text has its own write
 */
export function createGatheredWriter(
  write: (text: string) => Promise<void>,
  charsMax: number,
): GatheredWriter {
  const waiting: string[] = [];
  let chars = 0;
  let writing: Promise<void> | null = null;

  function take(): string {
    let text = "";
    do text += waiting.shift() ?? ""; while (
      waiting[0] !== undefined && text.length + waiting[0].length <= charsMax
    );
    chars -= text.length;
    return text;
  }

  async function writeAll(): Promise<void> {
    try {
      while (waiting.length > 0) await write(take());
    } finally {
      // After the last write, or after a failed one, the next push starts a new loop.
      writing = null;
    }
  }

  return {
    push(text) {
      waiting.push(text);
      chars += text.length;
      return writing ??= Promise.resolve().then(writeAll);
    },
    waitingChars: () => chars,
  };
}
