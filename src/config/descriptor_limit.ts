import type { CommandBounds, CommandOutput } from "./run_command.ts";

/** The limit assumed where the system does not tell it: the usual limit of a login. */
const LIMIT_WHEN_UNKNOWN = 1_024;

/**
 * How many descriptors (files, pipes, sockets) this process may have open. A shell inherits the
 * limit and can print it without further permissions.
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
    // Without a shell, assume the usual limit.
  }
  return LIMIT_WHEN_UNKNOWN;
}
