/**
 * Loads a random key from its own file, readable by this user only; the first use makes the file.
 *
 * The file is beside the store, not in it: a copy of the store alone cannot decrypt anything.
 *
 * @returns 32 bytes.
 */
export async function loadKeyFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const fresh = crypto.getRandomValues(new Uint8Array(32)).toHex();
  try {
    await Deno.writeTextFile(path, fresh, { mode: 0o600, createNew: true });
    return Uint8Array.fromHex(fresh);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return Uint8Array.fromHex((await Deno.readTextFile(path)).trim());
  }
}
