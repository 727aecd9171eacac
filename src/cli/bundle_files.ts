/** Reads and writes the files of the bundle commands: keys, bundles, and the bundle in force. */
import { dirname } from "node:path";
import { GateError } from "../model/errors.ts";
import { type PolicyBundle, readBundle } from "../policy/bundle/bundle.ts";

/** @throws {GateError} `ERR_CONFIG` if the file cannot be read. */
export async function readTextFile(path: string, what: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "no such file" : `${cause}`;
    throw new GateError("ERR_CONFIG", `Cannot read the ${what} "${path}": ${reason}`, {
      hint: "Check the path",
      cause,
    });
  }
}

/** Reads the bundle in a file, signed or not. @throws {GateError} `ERR_CONFIG` */
export async function readBundleFile(path: string): Promise<PolicyBundle> {
  return readBundle(await readTextFile(path, "bundle"));
}

/** Writes a file whole or not at all, so that a reader never sees half of it. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${crypto.randomUUID()}.new`;
  try {
    await Deno.writeTextFile(temporary, text, { createNew: true });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // report only the first failure
    throw error;
  }
}

/** The text of a file; null if the file does not exist. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
