/**
 * Registers the fast tests of whole folders in the file that calls this. The runner gives every file
 * that it is told about a worker and a module graph of its own: half a second of computing, for 160
 * files more than their tests take. `deno task test` tells it about the few files of `together/`.
 */
const TESTS = new URL("./", import.meta.url);

/** Folders of `tests/`, with all folders in them. */
export async function importFastTests(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (const path of listFastTests(folder)) await import(new URL(path, TESTS).href);
  }
}

/** Paths within `tests/`, sorted: a run says the same as the one before. */
export function listFastTests(folder: string): string[] {
  const paths: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, TESTS))) {
    const path = `${folder}/${name}`;
    if (isDirectory) paths.push(...listFastTests(path));
    else if (/(?<!_full|_soak)_test\.ts$/.test(name)) paths.push(path);
  }
  return paths.sort();
}
