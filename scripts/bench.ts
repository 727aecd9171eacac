import { taskFlags } from "./task_flags.ts";

/** Runs `bench/<name>_bench.ts`, or all of them one after the other. */
const names = [...Deno.readDirSync("bench")]
  .map((entry) => /^(\w+)_bench\.ts$/.exec(entry.name)?.[1])
  .filter((name) => name !== undefined)
  .toSorted();
const [wanted, ...rest] = Deno.args;

if (wanted !== undefined && !wanted.startsWith("-") && !names.includes(wanted)) {
  console.error(`There is no benchmark "${wanted}"; there are: ${names.join(", ")}`);
  Deno.exit(2);
}

const isNamed = wanted !== undefined && !wanted.startsWith("-");
// The engine gets the same flags as in the service.
const engine = taskFlags(await Deno.readTextFile("deno.json"), "toolgate")
  .filter((flag) => flag.startsWith("--v8-flags="));
let failures = 0;
for (const name of isNamed ? [wanted] : names) {
  console.log(`\n== ${name}`);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--cached-only", "--no-prompt", "-A", ...engine, `bench/${name}_bench.ts`],
      ...(isNamed ? rest : Deno.args),
    ],
  }).spawn().status;
  if (!success) failures++;
}
Deno.exit(failures === 0 ? 0 : 1);
