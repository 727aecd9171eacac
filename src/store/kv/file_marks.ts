/**
 * Reads the headers of the store's files while SQLite has them open.
 *
 * Closing any handle of a file releases all POSIX locks of this process on it, including SQLite's.
 * Another SQLite would then take the write-ahead log for one of a dead process, and delete it. So
 * these handles stay open as long as SQLite's. This file does nothing asynchronously: Deno's
 * asynchronous file operations use a copy of the handle and close it.
 *
 * @see SQLite, "Database File Format", 1.3 and "WAL-mode File Format", 2
 */

/** One look at the three files. */
export interface FileMarks {
  /** The first 100 bytes of the store's file, in hexadecimal. */
  readonly header: string;
  readonly sizeBytes: number;
  readonly changedAtMs: number;
  /** Changes whenever SQLite moves the write-ahead log into the file. */
  readonly checkpoint: string;
  /** A checkpoint is under way or failed half-way: the file may change while `checkpoint` stays. */
  readonly isMoving: boolean;
  /** Why SQLite cannot have written the write-ahead log; null if it can. */
  readonly logProblem: string | null;
}

export interface MarkReader {
  read(): FileMarks;
  close(): void;
}

const HEADER_BYTES = 100;
const MAGIC = new TextEncoder().encode("SQLite format 3\0").toHex();
/** Two copies of the index header and the state of the checkpoint. */
const INDEX_BYTES = 136;
const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const LOG_MAGIC = /^377f068[23]/;

/** @param path of the store's file, which SQLite has open in WAL mode. */
export function openMarkReader(path: string): MarkReader {
  const files: Deno.FsFile[] = [];
  const open = (name: string): Deno.FsFile => {
    // Open for writing too: an overlay file system then copies the file now, not at a later write.
    const file = Deno.openSync(name, { read: true, write: true });
    files.push(file);
    return file;
  };
  const close = () => files.forEach((file) => file.close());
  try {
    const [store, log, index] = [
      open(path),
      open(`${path}-wal`),
      open(`${path}-shm`),
    ];
    return {
      read() {
        const indexBytes = readStart(index, INDEX_BYTES);
        const { size: sizeBytes, mtime } = store.statSync();
        const header = readStart(store, HEADER_BYTES).toHex();
        return {
          header,
          sizeBytes,
          changedAtMs: mtime?.getTime() ?? 0,
          checkpoint: checkpointOf(indexBytes),
          isMoving: isMoving(indexBytes),
          logProblem: logProblemOf(log, indexBytes),
        };
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

export function isStoreHeader(header: string): boolean {
  return header.startsWith(MAGIC);
}

/** The log's salts, and the numbers of frames moved and being moved. */
function checkpointOf(index: Uint8Array): string {
  return [index.subarray(32, 40), index.subarray(96, 100), index.subarray(128, 132)]
    .map((bytes) => bytes.toHex()).join(" ");
}

function isMoving(index: Uint8Array): boolean {
  return index.subarray(96, 100).toHex() !== index.subarray(128, 132).toHex();
}

function logProblemOf(log: Deno.FsFile, index: Uint8Array): string | null {
  const view = new DataView(index.buffer, index.byteOffset, index.byteLength);
  const frames = view.getUint32(16, true);
  if (index.byteLength < INDEX_BYTES || frames === 0) return null;
  const header = readStart(log, LOG_HEADER_BYTES);
  const isOurs = LOG_MAGIC.test(header.toHex()) &&
    header.subarray(16, 24).toHex() === index.subarray(32, 40).toHex();
  if (!isOurs) return "was overwritten";
  const pageBytes = view.getUint16(14, true) || 65_536;
  const leastBytes = LOG_HEADER_BYTES + frames * (FRAME_HEADER_BYTES + pageBytes);
  return log.statSync().size < leastBytes ? "was cut" : null;
}

function readStart(file: Deno.FsFile, bytes: number): Uint8Array {
  const buffer = new Uint8Array(bytes);
  file.seekSync(0, Deno.SeekMode.Start);
  let length = 0;
  while (length < bytes) {
    const read = file.readSync(buffer.subarray(length));
    if (read === null) break;
    length += read;
  }
  return buffer.subarray(0, length);
}
