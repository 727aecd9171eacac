import { join } from "node:path";
import { GateError } from "../../model/errors.ts";
import { isFields } from "../../model/json/fields.ts";
import type { BundleKey } from "./signature.ts";

/** More keys than any site has; a folder with more is probably the wrong folder. */
const KEYS_MAX = 100;

/**
 * Lists the files of the public keys that may sign a bundle. A folder stands for all of its
 * `*.pub.json`, so that a private key in the same folder is not read.
 *
 * @throws {GateError} `ERR_CONFIG` if there is no key file, or a place cannot be read.
 */
export async function trustedKeyFiles(trust: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const place of trust) files.push(...await keyFilesAt(place));
  if (files.length === 0 || files.length > KEYS_MAX) {
    const problem = files.length === 0 ? "there is none" : `there are more than ${KEYS_MAX}`;
    throw new GateError("ERR_CONFIG", `Cannot use the keys at ${trust.join(", ")}: ${problem}`, {
      hint: 'A bundle needs the public keys that may sign it: put "NAME.pub.json" there, as ' +
        '"toolgate bundle keygen" makes it, or name the files in bundle.trust',
    });
  }
  return files;
}

/** @throws {GateError} as `trustedKeyFiles`, and if a file does not hold a key. */
export async function readTrustedKeys(trust: readonly string[]): Promise<BundleKey[]> {
  return await Promise.all((await trustedKeyFiles(trust)).map(readKeyFile));
}

/** @throws {GateError} `ERR_CONFIG` if the file cannot be read or does not hold a key. */
export async function readKeyFile(path: string): Promise<BundleKey> {
  const text = await Deno.readTextFile(path).catch((error) => {
    throw unreadable(path, error);
  });
  try {
    const key: unknown = JSON.parse(text);
    if (isFields(key) && "kty" in key) return key as BundleKey;
  } catch {
    // The error below reports this, as for any other text that is not a key.
  }
  throw new GateError("ERR_CONFIG", `"${path}" is not a key in JWK form`, {
    hint: 'Make one with "toolgate bundle keygen NAME"',
  });
}

async function keyFilesAt(place: string): Promise<readonly string[]> {
  try {
    if (!(await Deno.stat(place)).isDirectory) return [place];
    const names: string[] = [];
    for await (const { name } of Deno.readDir(place)) {
      if (name.endsWith(".pub.json")) names.push(name);
      if (names.length > KEYS_MAX) break;
    }
    return names.toSorted().map((name) => join(place, name));
  } catch (error) {
    throw unreadable(place, error);
  }
}

function unreadable(path: string, cause: unknown): GateError {
  const reason = cause instanceof Deno.errors.NotFound ? "no such file or folder" : `${cause}`;
  return new GateError("ERR_CONFIG", `Cannot read the key "${path}": ${reason}`, {
    hint: "Check the path",
    cause,
  });
}
