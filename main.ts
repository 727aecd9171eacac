import { runCli } from "./src/cli/main.ts";
import { systemDeps } from "./src/cli/system_deps.ts";

if (import.meta.main) Deno.exit(await runCli(Deno.args, systemDeps));
