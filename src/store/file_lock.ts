import { GateError } from "../model/errors.ts";

const RETRY_MS = 100;

export interface FileLock {
  release(): void;
}

/**
 * Makes this process the only writer of the store file at `path`.
 *
 * The lock is the operating system's own, on `<path>.lock`: it ends with the process that holds it,
 * however that dies, so a leftover file never blocks a start. The file names the holder's pid.
 *
 * @throws {GateError} `ERR_STORE` when another process, or another handle of this one, holds it.
 */
export async function lockStoreFile(path: string): Promise<FileLock> {
  const file = await Deno.open(`${path}.lock`, { create: true, read: true, write: true });
  try {
    if (!(await file.tryLock(true))) {
      const holder = (await readAll(file)).trim();
      throw new GateError(
        "ERR_STORE",
        `Cannot open the store "${path}": process ${holder || "unknown"} has it open`,
        {
          hint: "Send the command to the running service, or stop that process first; " +
            "a store file has one writer.",
          // Commands hold it for as long as they run.
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
  // The file stays: removing it would let a third process lock a file that no longer has a name.
  return { release: () => file.close() };
}

async function readAll(file: Deno.FsFile): Promise<string> {
  const buffer = new Uint8Array(64);
  const length = await file.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
}
