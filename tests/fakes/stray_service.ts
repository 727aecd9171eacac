/**
 * Starts the service as `serve` does, then throws errors that no code waits for.
 *
 * The arguments are those of the command line.
 */
import { runCli } from "../../src/cli/main.ts";
import { systemDeps } from "../../src/cli/system_deps.ts";

const app = Promise.withResolvers<void>();
app.promise.then(() => {
  Promise.reject(new Error("a promise that nobody waited for"));
  setTimeout(() => {
    throw new Error("an exception in a timer");
  });
  queueMicrotask(() => {
    throw new Error("an exception in a microtask");
  });
});
Deno.exit(
  await runCli(Deno.args, {
    ...systemDeps,
    onStrayError(listener) {
      const stop = systemDeps.onStrayError(listener);
      app.resolve();
      return stop;
    },
  }),
);
