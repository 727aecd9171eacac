import { join } from "node:path";
import type { LoadedConfig } from "./load_config.ts";

/** How commands on the same machine find the running service and prove that they may. */
export interface ServiceFile {
  readonly pid: number;
  /** Base URL on loopback, without a trailing slash. */
  readonly url: string;
  /** Bearer token of the local operator; the file is readable by the service's user only. */
  readonly token: string;
  /** Changes with every start; `/healthz` answers it. */
  readonly instance: string;
}

/** Beside the store's file, or beside the configuration when the store is not a file. */
export function serviceFilePath(loaded: LoadedConfig): string {
  const { store } = loaded.config;
  if (store.startsWith("kv:")) return `${store.slice("kv:".length)}.service.json`;
  return loaded.source === "demo"
    ? join(loaded.baseDir, "toolgate.service.json")
    : `${loaded.source}.service.json`;
}

/** Reads the file; null if there is none or it is not ours. */
export async function readServiceFile(path: string): Promise<ServiceFile | null> {
  try {
    const file: ServiceFile = JSON.parse(await Deno.readTextFile(path));
    return typeof file.url === "string" && typeof file.token === "string" ? file : null;
  } catch {
    return null; // absent, half written or foreign: there is no service to be found by it
  }
}

/** Writes the file for this process's user only, whole or not at all. */
export async function writeServiceFile(path: string, file: ServiceFile): Promise<void> {
  const temporary = `${path}.${file.pid}`;
  await Deno.writeTextFile(temporary, JSON.stringify(file), { mode: 0o600 });
  await Deno.rename(temporary, path);
}

/** Removes the file if it is still this instance's. */
export async function removeServiceFile(path: string, instance: string): Promise<void> {
  if ((await readServiceFile(path))?.instance !== instance) return;
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
