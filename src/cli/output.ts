import type { Output } from "./command.ts";

export function createOutput(
  deps: { readonly stdout: (text: string) => void; readonly stderr: (text: string) => void },
): Output {
  return {
    result: (text) => deps.stdout(text.endsWith("\n") ? text : `${text}\n`),
    json: (value) => deps.stdout(`${JSON.stringify(value)}\n`),
    note: (text) => deps.stderr(text.endsWith("\n") ? text : `${text}\n`),
  };
}
