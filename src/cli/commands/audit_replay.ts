import type { ReplayReport } from "../../supervisor/program/replay.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { plain } from "../table.ts";

export const auditReplay: Command = {
  name: "replay",
  summary: "Run recorded code again over the recorded answers: the same, or where it differs",
  positionals: "ID",
  count: [1, 1],
  examples: ["toolgate audit replay 019a…", "toolgate audit replay 019a… --json"],
  async run(context) {
    const [id = ""] = context.positionals;
    const client = await context.connect();
    const report = await client.call("POST /audit/replay/:execution", {
      params: { execution: id },
    });
    if (context.json) context.output.json(report);
    else context.output.result(renderReplay(report));
    return report.verdict === "identical" ? EXIT.ok : EXIT.failed;
  },
};

function renderReplay({ verdict, divergence, code, calls, status, seeded }: ReplayReport): string {
  const lines = [
    `${verdict}: ${calls.matched} of ${calls.recorded} calls, ended ${status.recorded}`,
    `  code      sha256:${code.sha256 ?? "not recorded"}, ${code.bytes} bytes`,
  ];
  if (divergence === null) return lines.join("\n");
  const place = divergence.call === null ? "the end" : `call ${divergence.call}`;
  lines.push(`  differs   at ${place}: ${divergence.what}`);
  if (divergence.recorded !== null) lines.push(`  recorded  ${plain(divergence.recorded)}`);
  if (divergence.replayed !== null) lines.push(`  replayed  ${plain(divergence.replayed)}`);
  if (!seeded) {
    lines.push("  its clock and randomness were not recorded: they may explain the difference");
  }
  return lines.join("\n");
}
