import { GateError } from "../../model/errors.ts";

const RETRY_MS = 100;

export interface FileLock {
  release(): void;
}

/**
 * Makes this process the only writer of the store file at `path`.
 *
 * The operating system keeps the lock on `<path>.lock` and releases it when the process ends in any
 * way, so a leftover file never blocks a start. The file contains the holder's pid.
 *
 * @throws {GateError} `ERR_STORE` when another process, or another handle of this one, holds it.
 */
export async function lockStoreFile(
  path: string,
  open: (path: string, options: Deno.OpenOptions) => Promise<Deno.FsFile> = Deno.open,
): Promise<FileLock> {
  const file = await open(`${path}.lock`, { create: true, read: true, write: true });
  try {
    if (!(await tryLock(file, path))) {
      const holder = (await readAll(file)).trim();
      throw new GateError(
        "ERR_STORE",
        `Cannot open the store "${path}": process ${holder || "unknown"} has it open`,
        {
          hint: "Send the command to the running service, or stop that process first; " +
            "a store file has one writer.",
          // CLI commands hold the lock while they run.
          retryAfterMs: RETRY_MS,
        },
      );
    }
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch (error) {
    file.close();
    throw error;
  }
  // Keep the file: without its name, two processes could lock two different files.
  return { release: () => file.close() };
}

async function tryLock(file: Deno.FsFile, path: string): Promise<boolean> {
  let isLocked: boolean;
  try {
    isLocked = await file.tryLock(true);
  } catch (error) {
    throw new GateError(
      "ERR_STORE",
      `Cannot lock the store "${path}": its file system has no locks`,
      {
        hint: "Put the store on a local disk, or a network disk that is mounted with locks; " +
          "without one, two processes could write it at once",
        cause: error,
      },
    );
  }
  if (!isLocked) return false;
  // If the lock file was deleted meanwhile, a lock on it does not keep other processes out.
  const [held, named] = [await file.stat(), await statIfThere(`${path}.lock`)];
  return named !== null && held.ino === named.ino && held.dev === named.dev;
}

async function statIfThere(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function readAll(file: Deno.FsFile): Promise<string> {
  const buffer = new Uint8Array(64);
  const length = await file.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
}
