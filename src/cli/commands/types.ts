import { resolve } from "node:path";
import type { Command } from "../command.ts";
import { EXIT } from "../exit_code.ts";

export const typesCommand: Command = {
  name: "types",
  summary: "The whole typed API as a .d.ts",
  options: {
    space: { value: "S", about: "Space whose tools to declare" },
    out: { value: "FILE", about: "Write there instead of standard output" },
  },
  examples: ["toolgate types --out tools.d.ts", "toolgate types --space engineering"],
  async run(context) {
    const client = await context.connect();
    const response = await client.send("GET /types", { query: { space: context.text("space") } });
    const text = await response.text();
    const out = context.text("out");
    if (out !== undefined) {
      const file = resolve(context.deps.cwd(), out);
      await context.deps.writeTextFile(file, text);
      context.output.note(`Wrote ${file}`);
      if (context.json) context.output.json({ file, bytes: new TextEncoder().encode(text).length });
    } else if (context.json) context.output.json({ declarations: text });
    else context.output.result(text);
    return EXIT.ok;
  },
};
