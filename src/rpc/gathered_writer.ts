/** Text that comes in one turn of the event loop, or while a write is under way, shares a write. */
export interface GatheredWriter {
  /** Resolves when it is written, with all that waits by then. */
  push(text: string): Promise<void>;
  /** Characters that no write has taken yet. */
  waitingChars(): number;
}

/**
 * @param write one at a time
 * @param charsMax of texts that share a write; a longer one has its own
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
      // In the very moment in which nothing waits: whatever comes later begins anew.
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
