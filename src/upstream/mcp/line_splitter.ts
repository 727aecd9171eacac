const HEAD_BYTES = 256;

/** A line that was too long, cut. */
export interface LongLine {
  /** Bytes of the whole line. */
  readonly bytes: number;
  /** The first and the last bytes of the line, as text. */
  readonly head: string;
  readonly tail: string;
}

export interface LineSplitter {
  push(chunk: Uint8Array): void;
  /** Reports the text after the last line feed, if there is any. */
  end(): void;
}

/**
 * Splits a byte stream at line feeds, in time linear in its length. Empty lines are lines too.
 *
 * A line over `lineBytesMax` is never kept whole: the splitter counts and drops its bytes and
 * reports its two ends, so that one oversized message does not end the stream.
 */
export function createLineSplitter(options: {
  readonly lineBytesMax: number;
  readonly onLine: (line: string) => void;
  readonly onLongLine: (line: LongLine) => void;
}): LineSplitter {
  const decoder = new TextDecoder();
  let parts: Uint8Array[] = [];
  let bytes = 0;
  let tail: Uint8Array = new Uint8Array(0);
  let head: Uint8Array | null = null;

  const take = (part: Uint8Array) => {
    bytes += part.length;
    if (head === null && bytes <= options.lineBytesMax) {
      // A copy: the reader may reuse its buffer.
      parts.push(part.slice());
      return;
    }
    const latest = Buffer.concat([...(head === null ? parts : [tail]), part]);
    head ??= latest.slice(0, HEAD_BYTES);
    tail = latest.slice(-HEAD_BYTES);
    parts = [];
  };
  const finish = () => {
    if (head !== null) {
      options.onLongLine({ bytes, head: decoder.decode(head), tail: decoder.decode(tail) });
    } else options.onLine(decoder.decode(Buffer.concat(parts)));
    parts = [];
    bytes = 0;
    head = null;
    tail = new Uint8Array(0);
  };
  return {
    push(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
        take(chunk.subarray(from, at));
        finish();
        from = at + 1;
      }
      if (from < chunk.length) take(chunk.subarray(from));
    },
    end() {
      if (bytes > 0) finish();
    },
  };
}
