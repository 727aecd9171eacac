/**
 * Starts the role of this process: the command line, or, if a compiled toolgate has started itself
 * again, a sandbox host or the program checker.
 */
import { CHECKER_ARGUMENT } from "./src/checker/checker_command.ts";
import { HOST_ARGUMENT } from "./src/sandbox/host/host_command.ts";

const [first, second = "{}"] = Deno.args;

// Imports are lazy: a host starts before each program and does not use the service.
if (Deno.build.standalone && first === HOST_ARGUMENT) {
  const { runSandboxHost } = await import("./src/sandbox/host/host_main.ts");
  await runSandboxHost(second);
} else if (Deno.build.standalone && first === CHECKER_ARGUMENT) {
  const { runCheckerHost } = await import("./src/checker/process/checker_host.ts");
  await runCheckerHost();
} else if (import.meta.main) {
  // A compiled binary has the permissions of all its roles; only a host needs this one.
  Deno.permissions.revokeSync({ name: "ffi" });
  const { runCli } = await import("./src/cli/main.ts");
  const { systemDeps } = await import("./src/cli/system_deps.ts");
  Deno.exit(await runCli(Deno.args, systemDeps));
}
