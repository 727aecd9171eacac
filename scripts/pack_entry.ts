/** The packed program: the command line alone; sandbox host and checker are bundles of their own. */
import { runCli } from "../src/cli/main.ts";
import { systemDeps } from "../src/cli/system_deps.ts";

Deno.exit(await runCli(Deno.args, systemDeps));
