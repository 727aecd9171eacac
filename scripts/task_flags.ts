/** Flags of a task in deno.json, so that other code need not repeat them. */
export function taskFlags(denoJson: string, task: string): string[] {
  const config: { tasks: { [name: string]: string | { command: string } } } = JSON.parse(denoJson);
  const entry = config.tasks[task];
  if (entry === undefined) throw new Error(`deno.json has no task "${task}"`);
  const command = typeof entry === "string" ? entry : entry.command;
  return command.split(/\s+/).filter((word) => word.startsWith("--"));
}

/** Flags for the unstable features in deno.json; a program without deno.json must name them. */
export function unstableFlags(denoJson: string): string[] {
  const config: { unstable?: string[] } = JSON.parse(denoJson);
  return (config.unstable ?? []).map((feature) => `--unstable-${feature}`);
}
