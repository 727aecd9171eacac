const NAMES = ["run", "read", "write", "net", "env", "sys", "ffi", "import"] as const;

/**
 * Gives up every permission of this process for good, and proves it.
 *
 * @throws {Error} if a read still works: a runtime that ignores the revocation must not run programs.
 */
export function revokePermissions(): void {
  for (const name of NAMES) Deno.permissions.revokeSync({ name });
  for (const name of NAMES) {
    if (Deno.permissions.querySync({ name }).state === "granted") {
      throw new Error(`Cannot give up the permission "${name}"`);
    }
  }
  let readable = true;
  try {
    Deno.readDirSync("/")[Symbol.iterator]().next();
  } catch {
    readable = false;
  }
  if (readable) throw new Error("Cannot give up file reads: one still works");
}
