import assert from "node:assert/strict";
import { parse } from "yaml";
import { openAuditLog } from "../../src/audit/audit_log.ts";
import { auditCommands } from "../../src/cli/commands/audit.ts";
import { parseCommandLine } from "../../src/cli/parse_command_line.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { createMemoryStore } from "../../src/store/memory/memory_store.ts";
import { CONFIG, intent, outcome } from "./audit_fixture.ts";

const TEXT = await Deno.readTextFile(new URL("../../docs/audit.md", import.meta.url));

function blocks(language: string): string[] {
  const found = TEXT.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, "g"));
  return [...found].map(([, text = ""]) => text);
}

Deno.test("docs/audit.md shows configuration that is valid", () => {
  const configurations = blocks("yaml");
  assert.equal(configurations.length, 1);
  for (const text of configurations) {
    const { audit } = ConfigSchema.parse(parse(text));
    assert.equal(audit.ship.length, 4);
    assert.equal(audit.anchors.length, 2);
  }
});

Deno.test("docs/audit.md names commands that the command line takes", () => {
  const lines = blocks("sh").join("").split("\n").filter((line) => line.startsWith("toolgate "));
  assert.ok(lines.length >= 8);
  const known = new Set(auditCommands.commands.map(({ name }) => name));
  const parsed = lines.map(splitWords).filter(([, name = ""]) => known.has(name));
  assert.ok(parsed.length >= 7);
  for (const words of parsed) assert.equal(parseCommandLine(words, [auditCommands]).kind, "run");
});

Deno.test("who called pay.refund above 100, under which rule, with what result, is one query", async () => {
  const log = await openAuditLog({ store: createMemoryStore(), chain: "main", config: CONFIG });
  for (const [index, amount] of [40, 250, 90, 101].entries()) {
    await log.append(intent(`e:${index}`), { args: JSON.stringify({ amount }) });
    await log.append(outcome(`e:${index}`), { result: JSON.stringify({ refunded: amount }) });
  }
  await log.append(intent("f:0", "pay.get"), { args: '{"amount":999}' });
  const { records } = await log.query({ tool: "pay.refund", since: Date.now() - 7 * 86_400_000 });
  const answers: unknown[] = [];
  for (const record of records.toReversed().filter(({ kind }) => kind === "call.intent")) {
    const args = JSON.parse((await log.payloads(record))?.args ?? "{}");
    if (args.amount <= 100) continue;
    const done = records.find(({ kind, call }) => kind === "call.outcome" && call === record.call);
    const result = done === undefined ? null : (await log.payloads(done))?.result;
    answers.push([record.actor?.sub, args.amount, record.decision?.because, result]);
  }
  assert.deepEqual(answers, [
    ["ada", 250, ["refunds"], '{"refunded":250}'],
    ["ada", 101, ["refunds"], '{"refunded":101}'],
  ]);
  await log.close();
});

/** The words of a shell line without the program; double quotes keep a word together. */
function splitWords(line: string): string[] {
  const words = line.match(/"[^"]*"|\S+/g) ?? [];
  return words.slice(1).map((word) => word.replace(/^"(.*)"$/, "$1"));
}
