/**
 * How commands on the same machine find the running service.
 *
 * The service holds a lock of the operating system on its file while it runs. A process id would
 * not prove that it runs: in a container every start has the same id, and the system reuses ids.
 */
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { sha256Hex } from "../model/sha256.ts";
import type { LoadedConfig } from "./load_config.ts";

/** Tells commands on the same machine where the service is, and authorizes them. */
export interface ServiceFile {
  /** For messages only: it does not tell whether the service still runs. */
  readonly pid: number;
  /** Base URL on loopback, without a trailing slash. */
  readonly url: string;
  /** Bearer token of the local operator; the file is readable by the service's user only. */
  readonly token: string;
  /** Changes with every start; `/healthz` returns it. */
  readonly instance: string;
}

/** A service file that this process wrote and holds. */
export interface PublishedServiceFile {
  readonly path: string;
  /** Removes the file if it is still this instance's. */
  withdraw(): Promise<void>;
}

/** The path beside the store's file, or beside the configuration when the store is not a file. */
export function serviceFilePath(loaded: LoadedConfig): string {
  const { store } = loaded.config;
  if (store.startsWith("kv:")) return `${store.slice("kv:".length)}.service.json`;
  return loaded.source === "demo"
    ? join(loaded.baseDir, "toolgate.service.json")
    : `${loaded.source}.service.json`;
}

/**
 * Possible paths of the file, best one first. The folder of a configuration may be read-only; then
 * the file goes to the user's own folder for running programs.
 */
export function serviceFilePaths(
  loaded: LoadedConfig,
  env: (name: string) => string | undefined,
): readonly string[] {
  const path = serviceFilePath(loaded);
  if (loaded.config.store.startsWith("kv:")) return [path];
  const name = `${sha256Hex(path).slice(0, 32)}.service.json`;
  const runtime = env("XDG_RUNTIME_DIR");
  return [
    path,
    ...(runtime ? [join(runtime, "toolgate", name)] : []),
    join(tmpdir(), temporaryFolderName(), name),
  ];
}

/** Reads the file; null if it is absent or not a service file. */
export async function readServiceFile(path: string): Promise<ServiceFile | null> {
  try {
    const file: ServiceFile = JSON.parse(await Deno.readTextFile(path));
    return typeof file.url === "string" && typeof file.token === "string" ? file : null;
  } catch {
    return null; // absent, half written or foreign: it leads to no service
  }
}

/**
 * Reads the service file and checks whether the process that wrote it still runs.
 *
 * @returns null if there is no file, if its service has ended, or if another user could have written it.
 */
export async function readLiveServiceFile(
  path: string,
): Promise<{ readonly service: ServiceFile; readonly holder: "alive" | "unknown" } | null> {
  const service = await readServiceFile(path);
  if (service === null || !(await isOwn(path))) return null;
  const holder = await holderOf(path);
  return holder === "dead" ? null : { service, holder };
}

/**
 * Writes the file for this process's user only, whole or not at all, at the first path that is
 * writable, and holds its lock. Leaves the file of another running service alone.
 *
 * @returns null if no path is writable: the service runs, but commands do not find it.
 */
export async function publishServiceFile(
  paths: readonly string[],
  service: ServiceFile,
): Promise<PublishedServiceFile | null> {
  for (const path of paths) {
    if ((await readLiveServiceFile(path))?.holder === "alive") continue;
    const file = await tryWrite(path, service);
    if (file === null) continue;
    return {
      path,
      async withdraw() {
        await removeServiceFile(path, service.instance);
        file.close();
      },
    };
  }
  return null;
}

/** Removes the file if it is still this instance's. */
async function removeServiceFile(path: string, instance: string): Promise<void> {
  if ((await readServiceFile(path))?.instance !== instance) return;
  await removeIfThere(path);
}

/** The open file, locked if the system can; null if this path is not writable. */
async function tryWrite(path: string, service: ServiceFile): Promise<Deno.FsFile | null> {
  const temporary = `${path}.${service.instance}`;
  let file: Deno.FsFile | null = null;
  try {
    // The folder of a store or a configuration exists; the one for running programs may not.
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    file = await Deno.open(temporary, { createNew: true, write: true, mode: 0o600 });
    // On Windows other processes cannot read a locked file. Without a lock, commands ask the
    // service.
    if (Deno.build.os !== "windows") await file.tryLock(true).catch(() => false);
    await writeWhole(file, new TextEncoder().encode(JSON.stringify(service)));
    await Deno.rename(temporary, path);
    if (await isOwn(path)) return file;
    await removeIfThere(path);
  } catch {
    await removeIfThere(temporary).catch(() => {});
  }
  file?.close();
  return null;
}

async function writeWhole(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}

function temporaryFolderName(): string {
  return `toolgate-${Deno.uid() ?? "user"}`;
}

/** False if another user may have put the file there: every user may create folders in `/tmp`. */
async function isOwn(path: string): Promise<boolean> {
  const folder = dirname(path);
  if (Deno.build.os === "windows" || basename(folder) !== temporaryFolderName()) return true;
  try {
    const [of, within] = [await Deno.lstat(folder), await Deno.lstat(path)];
    const isClosed = ((of.mode ?? 0) & 0o022) === 0;
    return of.isDirectory && isClosed && of.uid === Deno.uid() && within.isFile &&
      within.uid === Deno.uid();
  } catch {
    return false;
  }
}

/** Whether the process that published the file still has it open. */
async function holderOf(path: string): Promise<"alive" | "dead" | "unknown"> {
  if (Deno.build.os === "windows") return "unknown";
  try {
    using file = await Deno.open(path, { read: true });
    return await file.tryLock(false) ? "dead" : "alive";
  } catch {
    return "unknown"; // a file system without locks
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
