import type { CommandBounds, CommandOutput } from "./run_command.ts";

/** What is assumed where the system does not say: the usual limit of a login. */
const LIMIT_WHEN_UNKNOWN = 1_024;

/**
 * How many descriptors (files, pipes, sockets) this process may have open: the shell inherits the limit
 * and can name it without any right that this process does not have.
 */
export async function descriptorLimit(
  runCommand: (command: string, bounds: CommandBounds) => Promise<CommandOutput>,
): Promise<number> {
  try {
    const bounds = { cwd: ".", timeoutMs: 2_000, outputBytesMax: 100 };
    const { code, stdout } = await runCommand("ulimit -n", bounds);
    const text = stdout.trim();
    if (code === 0 && text === "unlimited") return Infinity;
    if (code === 0 && /^[1-9]\d*$/.test(text)) return Number(text);
  } catch {
    // No shell: then the usual limit is assumed.
  }
  return LIMIT_WHEN_UNKNOWN;
}
