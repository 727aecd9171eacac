/**
 * Makes `dist/toolgate.run`, or the file named as argument: a shell launcher followed by a tar.gz of
 * Deno, the bundled program and its data. To run, the file needs only a POSIX shell, tar and gzip.
 *
 * The same sources and the same Deno give the same bytes. At its first start the file unpacks itself
 * into a folder named after its content, readable by its user only.
 */
import { fileURLToPath } from "node:url";
import { projectRoot } from "../src/config/project_root.ts";
import { taskFlags, unstableFlags } from "./task_flags.ts";

/** Bundles, with the file names that the running program expects. */
const BUNDLES = [
  { entry: "scripts/pack_entry.ts", output: "main.js" },
  { entry: "src/sandbox/host/host_main.ts", output: "sandbox_host.js" },
  { entry: "src/checker/process/checker_host.ts", output: "checker_host.js" },
];

/** Folders that the program reads at run time. */
const DATA_FOLDERS = ["policies"];

/** An optional module of TypeScript that is not installed when run from source either. */
const EXTERNAL = "source-map-support";

await main(Deno.args[0] ?? fileURLToPath(new URL("dist/toolgate.run", projectRoot)));

async function main(output: string): Promise<void> {
  const stage = `${output}.stage`;
  await Deno.remove(stage, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(stage, { recursive: true });
  for (const { entry, output } of BUNDLES) {
    const args = ["bundle", "--quiet", "--minify", "--external", EXTERNAL];
    await run(Deno.execPath(), [...args, "-o", `${stage}/${output}`, entry]);
    await giveRequire(`${stage}/${output}`);
  }
  for (const folder of DATA_FOLDERS) await run("cp", ["-r", folder, stage]);
  await Deno.copyFile(Deno.execPath(), `${stage}/deno`);
  await run("chmod", ["-R", "u=rwX,go=", stage]);
  const payload = await makeArchive(stage);
  const id = (await sha256(payload)).slice(0, 16);
  const denoJson = await Deno.readTextFile(new URL("deno.json", projectRoot));
  const launcher = renderLauncher(id, [
    ...taskFlags(denoJson, "toolgate").filter((flag) => /^--(allow|deny|v8)-/.test(flag)),
    ...unstableFlags(denoJson),
  ]);
  await Deno.writeFile(output, new Blob([launcher, payload]).stream(), { mode: 0o755 });
  await Deno.chmod(output, 0o755);
  await Deno.remove(stage, { recursive: true });
  const { size } = await Deno.stat(output);
  console.log(`${output} ${(size / 1e6).toFixed(1)} MB, ${id}`);
}

/**
 * @param flags permissions, features and flags of the engine. Modules load only from the unpacked
 * folder, whatever a program in the sandbox tries.
 */
function renderLauncher(id: string, flags: readonly string[]): string {
  const lines = [
    "#!/bin/sh",
    "set -eu",
    `DIR="\${TOOLGATE_CACHE:-\${XDG_CACHE_HOME:-\${HOME:?set HOME or TOOLGATE_CACHE}/.cache}/toolgate}/${id}"`,
    'if [ ! -e "$DIR/.done" ]; then',
    '  mkdir -p "$(dirname "$DIR")"',
    '  NEW=$(umask 077 && mktemp -d "$DIR.XXXXXX")',
    '  tail -n +LINES "$0" | tar xzf - -C "$NEW"',
    '  : > "$NEW/.done"',
    "  # Another start may have been faster; then its folder is as good.",
    '  mv "$NEW" "$DIR" 2>/dev/null && [ ! -e "$DIR/${NEW##*/}" ] || rm -rf "$NEW" "$DIR/${NEW##*/}"',
    "fi",
    'export DENO_DIR="$DIR/cache" DENO_NO_UPDATE_CHECK=1',
    'exec "$DIR/deno" run --quiet --no-prompt --cached-only --no-remote --no-npm --no-config --no-lock \\',
    `  ${flags.join(" ")} \\`,
    '  "$DIR/main.js" "$@"',
  ];
  return lines.join("\n").replace("LINES", String(lines.length + 1)) + "\n";
}

/**
 * Defines `require` in a bundle whose CommonJS parts need it. Deno defines it too, but finds such
 * bundles by a pattern that misses some of the minified names.
 */
async function giveRequire(path: string): Promise<void> {
  const code = await Deno.readTextFile(path);
  if (!code.includes("Dynamic require of ")) return;
  const head = 'import{createRequire as makeRequire}from"node:module";' +
    "const require=makeRequire(import.meta.url);";
  await Deno.writeTextFile(path, head + code);
}

async function makeArchive(stage: string): Promise<Uint8Array<ArrayBuffer>> {
  const archive = `${stage}.tar`;
  const sameBytes = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await run("tar", ["-C", stage, ...sameBytes, "-cf", archive, "."]);
  await run("gzip", ["--no-name", "--force", "-6", archive]);
  const payload = await Deno.readFile(`${archive}.gz`);
  await Deno.remove(`${archive}.gz`);
  return payload;
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: projectRoot,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new Error(`${command} ${args.join(" ")}\n${new TextDecoder().decode(stderr)}`);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
