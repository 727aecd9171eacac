import { proxyVariables } from "./site_environment.ts";

export interface CommandBounds {
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
}

export interface CommandOutput {
  /** Exit code; null when the command was stopped because it reached a bound. */
  readonly code: number | null;
  readonly stdout: string;
}

/** Runs a command in the system's shell and keeps its standard output, within bounds. */
export async function runCommand(command: string, bounds: CommandBounds): Promise<CommandOutput> {
  const shell = Deno.build.os === "windows" ? ["cmd", "/c"] : ["sh", "-c"];
  const child = new Deno.Command(shell[0] ?? "sh", {
    args: [shell[1] ?? "-c", command],
    cwd: bounds.cwd,
    // A command inherits our environment, from which the proxy variables were removed.
    env: proxyVariables(),
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  let stopped = false;
  const stop = () => {
    stopped = true;
    kill(child);
    // A grandchild may hold the pipe open: do not wait for it.
    reader.cancel().catch(() => {});
  };
  const timer = setTimeout(stop, bounds.timeoutMs);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes += part.value.byteLength;
    if (bytes > bounds.outputBytesMax) stop();
    else chunks.push(part.value);
  }
  const status = await child.status;
  clearTimeout(timer);
  return stopped
    ? { code: null, stdout: "" }
    : { code: status.code, stdout: await new Blob(chunks).text() };
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // The command has already ended.
  }
}
