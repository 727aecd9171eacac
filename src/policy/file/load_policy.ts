import { createHash } from "node:crypto";
import { join } from "node:path";
import { GateError } from "../../model/errors.ts";
import type { PolicyText } from "./document.ts";
import { POLICY_TEXT_MAX } from "./yaml.ts";

/** A folder with more policy files is a mistake. */
const FILES_MAX = 1_000;
/** How deep the search for ignored policy files goes below a policy folder. */
const FOLDER_DEPTH_MAX = 4;

/**
 * Reads one policy file, or every `.yaml`, `.yml` and `.json` file of a folder, sorted by name. Policy
 * files in subfolders are an error.
 *
 * @throws {GateError} `ERR_CONFIG` if there is nothing to read.
 */
export async function loadPolicyFiles(path: string): Promise<PolicyText[]> {
  const fail = (reason: string, cause?: unknown) =>
    new GateError("ERR_CONFIG", `Cannot read the policy "${path}": ${reason}`, {
      hint: 'Name a YAML file or a folder of them in "policies", or leave it out',
      cause,
    });
  let paths: string[];
  try {
    paths = (await Deno.stat(path)).isDirectory ? await listPolicyFiles(path) : [path];
  } catch (error) {
    throw fail(describeReadError(error), error);
  }
  if (paths.length === 0) throw fail("the folder holds no .yaml, .yml or .json file");
  if (paths.length > FILES_MAX) throw fail(`the folder holds more than ${FILES_MAX} files`);
  try {
    return await Promise.all(paths.map(readPolicyFile));
  } catch (error) {
    throw fail(describeReadError(error), error);
  }
}

async function listPolicyFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const { name, isFolder } of await readFolder(folder)) {
    if (!isFolder && isPolicyFile(name)) names.push(name);
    if (isFolder && await holdsPolicyFiles(join(folder, name), 1)) {
      throw new Error(
        `its folder "${name}" holds policy files, which are not read; move them up, or elsewhere`,
      );
    }
  }
  return names.toSorted().map((name) => join(folder, name));
}

/** Finds policy files in subfolders, because an ignored deny rule would not deny anything. */
async function holdsPolicyFiles(folder: string, depth: number): Promise<boolean> {
  // Links may form a circle.
  if (depth > FOLDER_DEPTH_MAX) return false;
  for (const { name, isFolder } of await readFolder(folder)) {
    if (!isFolder && isPolicyFile(name)) return true;
    if (isFolder && await holdsPolicyFiles(join(folder, name), depth + 1)) return true;
  }
  return false;
}

/** The entries of a folder that are not hidden; a link counts as its target. */
async function readFolder(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
  const entries: { name: string; isFolder: boolean }[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
    if (name.startsWith(".")) continue;
    const isFolder = isDirectory || isSymlink && await leadsToFolder(join(folder, name));
    entries.push({ name, isFolder });
  }
  return entries;
}

async function leadsToFolder(link: string): Promise<boolean> {
  try {
    return (await Deno.stat(link)).isDirectory;
  } catch {
    // The link has no target. If it is named like a policy file, reading it fails later.
    return false;
  }
}

/**
 * Describes the current contents of the policy files: equal contents give an equal text, and each
 * reason why they cannot be read gives another text. Never rejects.
 */
export async function describeContents(
  read: () => Promise<readonly PolicyText[]>,
): Promise<string> {
  try {
    const digest = createHash("sha256");
    for (const { path, text } of await read()) digest.update(JSON.stringify([path, text]));
    return digest.digest("hex");
  } catch (error) {
    return String(error);
  }
}

function isPolicyFile(name: string): boolean {
  return /^[^.].*\.(ya?ml|json)$/i.test(name);
}

async function readPolicyFile(path: string): Promise<PolicyText> {
  const { size, isFile } = await Deno.stat(path);
  // Reading a pipe would wait forever, and block all code that follows the folder.
  if (!isFile) throw new Error(`"${path}" is not a regular file`);
  if (size > POLICY_TEXT_MAX) throw new Error(`"${path}" is larger than ${POLICY_TEXT_MAX} bytes`);
  return { path, text: await Deno.readTextFile(path) };
}

function describeReadError(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return error instanceof Error ? error.message : String(error);
}
