import { resolve } from "node:path";
import { type ImportedServers, importServers } from "../../config/import_servers.ts";
import type { Command, CommandContext, Output } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { usageError } from "../usage_error.ts";

export const importCommand: Command = {
  name: "import",
  summary: "Turn the mcpServers file of Claude, Cursor or VS Code into toolgate.yaml",
  positionals: "FILE",
  count: [1, 1],
  options: {
    out: { value: "FILE", about: "Where to write, - for nowhere; default toolgate.yaml" },
    force: { about: "Replace an existing file" },
  },
  examples: [
    'toolgate import "$HOME/Library/Application Support/Claude/claude_desktop_config.json"',
    "toolgate import .vscode/mcp.json --out -",
    "toolgate import ~/.cursor/mcp.json --force",
  ],
  async run(context) {
    const [file = ""] = context.positionals;
    const imported = importServers(await readClientFile(context, file), file);
    const out = context.text("out") ?? "toolgate.yaml";
    const written = out === "-" ? null : resolve(context.deps.cwd(), out);
    if (written !== null) {
      await refuseToReplace(context, written);
      await context.deps.writeTextFile(written, imported.text);
    }
    if (context.json) context.output.json({ file: written, ...imported });
    else {
      context.output.result(imported.text);
      explain(context.output, imported, written);
    }
    return EXIT.ok;
  },
};

async function readClientFile(context: CommandContext, file: string): Promise<string> {
  try {
    return await context.deps.readTextFile(resolve(context.deps.cwd(), file));
  } catch {
    throw usageError(`Cannot read "${file}"`, "Name the configuration file of an MCP client");
  }
}

/** Allows an empty file, because `toolgate import FILE > toolgate.yaml` creates one first. */
async function refuseToReplace(context: CommandContext, file: string): Promise<void> {
  if (context.flag("force")) return;
  const present = await context.deps.readTextFile(file).catch(() => "");
  if (present.trim() === "") return;
  throw usageError(
    `"${file}" exists and was not changed`,
    "Add --force to replace it, --out FILE for another place, --out - to print only",
  );
}

function explain(output: Output, imported: ImportedServers, written: string | null): void {
  const count = imported.servers.length;
  output.note(
    `${count} ${count === 1 ? "server" : "servers"}: ${imported.servers.join(", ")}` +
      (written === null ? "" : `\nWrote ${written}`),
  );
  if (imported.secrets.length > 0) {
    output.note("Secrets became references; set these variables before you start toolgate:");
    for (const { variable, server, place } of imported.secrets) {
      output.note(`  ${variable}  (${server}: ${place})`);
    }
  }
  for (const note of imported.notes) output.note(`Note: ${note}`);
}
