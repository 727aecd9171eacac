/** Runs `deno compile` with the given arguments, and without the files that it cannot read. */

/**
 * Below a package registry's folder in the npm cache.
 *
 * `bintrees` (needed by `prom-client`) carries 100,000 lines of numbers for its own tests; `deno compile`
 * looks for exports in every file of a package, takes them for one long subtraction and overflows its stack.
 */
const UNREADABLE = ["bintrees/1.0.2/test"];

const decoder = new TextDecoder();
const info = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
const { npmCache }: { npmCache: string } = JSON.parse(decoder.decode(info.stdout));
const registries = [...Deno.readDirSync(npmCache)].filter((entry) => entry.isDirectory);
const excludes = registries.flatMap(({ name }) =>
  UNREADABLE.map((folder) => `--exclude=${npmCache}/${name}/${folder}`)
);
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["compile", ...excludes, ...Deno.args],
}).spawn().status;
Deno.exit(code);
