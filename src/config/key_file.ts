/**
 * A random key in a file of its own, readable by this user only; made at its first use.
 *
 * Beside the store and not in it, so that a copy of the store alone opens nothing.
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
