import { basename, dirname } from "node:path";

const WATCH_QUIET_MS = 200;

/**
 * Calls back once a file, or the files of a folder, have been quiet for a moment after a change.
 *
 * A file is watched through its folder: one that is replaced by renaming, as editors and bundles are,
 * is another file, and its own watch would end with the old one.
 */
export function watchPolicy(path: string, onChange: () => void): { close(): void } {
  const isFolder = Deno.statSync(path).isDirectory;
  const name = basename(path);
  const isMeant = (paths: readonly string[]) =>
    isFolder || paths.some((changed) => basename(changed) === name);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watcher = Deno.watchFs(isFolder ? path : dirname(path), { recursive: isFolder });
  const follow = async () => {
    for await (const { kind, paths } of watcher) {
      if (kind === "access" || !isMeant(paths)) continue;
      clearTimeout(timer);
      timer = setTimeout(onChange, WATCH_QUIET_MS);
    }
  };
  follow().catch(() => {}); // ends with close(); a folder that vanished is found at the next reload
  return {
    close() {
      clearTimeout(timer);
      watcher.close();
    },
  };
}
