/** The packed command line; the sandbox host and the checker are separate bundles. */
import { runCli } from "../src/cli/main.ts";
import { systemDeps } from "../src/cli/system_deps.ts";

Deno.exit(await runCli(Deno.args, systemDeps));
