import type { ToolDiff } from "../catalog/diff_definition.ts";
import { toIdentifier } from "../catalog/names.ts";
import type { QuarantinedTool } from "../model/catalog.ts";
import { GateError } from "../model/errors.ts";
import { compileGlob } from "../model/glob.ts";
import type { ApiClient } from "./api_client.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit_code.ts";
import { plain } from "./table.ts";

type Verb = "approve" | "block";
const DONE = { approve: "Approved", block: "Blocked" } as const;

/**
 * `tools approve` and `tools block`: prints the current definition of each tool, then decides about
 * exactly the printed pins. If a tool changed in between, prints it again and does not decide.
 */
export async function decideTools(context: CommandContext, verb: Verb): Promise<number> {
  const [name = ""] = context.positionals;
  const client = await context.connect();
  const shown = await findShown(context, client, verb, name);
  const decided: ToolDiff[] = [];
  const refused: ToolDiff[] = [];
  for (const diff of shown) {
    const changed = await decide(client, verb, diff);
    if (changed === null) decided.push(diff);
    else refused.push(changed);
  }
  if (context.json) context.output.json({ [DONE[verb].toLowerCase()]: decided, refused });
  else {
    for (const diff of refused) {
      context.output.note(`${diff.server}.${diff.name} is no longer what was printed; it is now:`);
      context.output.result(renderDiff(diff));
    }
    const count = `${decided.length} ${decided.length === 1 ? "tool" : "tools"}`;
    context.output.note(`${DONE[verb]} ${count} of ${plain(name)}`);
  }
  return refused.length === 0 ? EXIT.ok : EXIT.failed;
}

/** The current and the approved definition of a tool; null if no upstream lists it. */
export async function askDiff(client: ApiClient, name: string): Promise<ToolDiff | null> {
  return (await client.call("GET /tools/:name/diff", { params: { name } })).diff;
}

/** Tools that wait for a decision of an operator. */
export async function listWaiting(client: ApiClient): Promise<readonly QuarantinedTool[]> {
  const { quarantined } = await client.call("GET /tools");
  return quarantined.filter(({ reason }) => reason === "drift" || reason === "pending");
}

export function notListed(name: string): GateError {
  return new GateError("ERR_NOT_FOUND", `No upstream lists "${plain(name)}"`, {
    hint: 'See "toolgate tools list"',
  });
}

/** A tool with its pin, and each difference from the approved definition. */
export function renderDiff(diff: ToolDiff): string {
  const { server, name, state, change, changes, approvedPin, pin } = diff;
  const difference = approvedPin === null
    ? "never approved"
    : `${change ?? "no"} difference to what was approved`;
  const head = `${plain(server)}.${plain(name)}: ${state}, ${difference}`;
  const lines = changes.flatMap(({ path, before, after }) => [
    `  ${plain(path)}`,
    ...(before === null ? [] : [`    - ${plain(before)}`]),
    ...(after === null ? [] : [`    + ${plain(after)}`]),
  ]);
  return [head, ...lines, `  pin ${pin}`].join("\n");
}

/** Finds and prints the named tools. Only printed tools are decided about. */
async function findShown(
  context: CommandContext,
  client: ApiClient,
  verb: Verb,
  name: string,
): Promise<readonly ToolDiff[]> {
  const wantedPin = context.text("pin");
  const fitting = verb === "approve" && name.includes("*") ? await namesThatFit(client, name) : [];
  // The name of a resource may contain a star, too.
  const isGlob = verb === "approve" && name.includes("*") && !fitting.includes(name);
  if (isGlob && wantedPin !== undefined) {
    throw new GateError("ERR_BAD_REQUEST", "Cannot approve several tools by one pin", {
      hint: "Name one tool with --pin, or leave --pin out",
    });
  }
  const shown: ToolDiff[] = [];
  for (const each of isGlob ? fitting : [name]) {
    const diff = await askDiff(client, each);
    if (diff === null && !isGlob) throw notListed(each);
    if (diff === null || (isGlob && diff.state !== "drift" && diff.state !== "pending")) continue;
    shown.push(diff);
    if (!context.json) context.output.result(renderDiff(diff));
    if (wantedPin !== undefined && wantedPin !== diff.pin) {
      throw new GateError(
        "ERR_CHANGED",
        `Cannot ${verb} "${plain(each)}": its pin is ${diff.pin}, not ${plain(wantedPin)}`,
        { hint: "Nothing was decided. Read what it is now, then name its pin" },
      );
    }
  }
  return shown;
}

async function namesThatFit(client: ApiClient, pattern: string): Promise<readonly string[]> {
  const fits = compileGlob(pattern);
  const waiting = await listWaiting(client);
  return waiting.filter(({ server, name }) =>
    fits(`${server}.${name}`) || fits(`${toIdentifier(server)}.${name}`)
  ).map(({ server, name }) => `${server}.${name}`);
}

/** @returns null if it was decided; the current definition if it differs from the shown one. */
async function decide(client: ApiClient, verb: Verb, shown: ToolDiff): Promise<ToolDiff | null> {
  const name = `${shown.server}.${shown.name}`;
  try {
    await client.call(`POST /tools/:name/${verb}`, { params: { name }, body: { pin: shown.pin } });
    return null;
  } catch (error) {
    if (!(error instanceof GateError) || error.code !== "ERR_CHANGED") throw error;
    const now = await askDiff(client, name);
    if (now === null) throw notListed(name);
    return now;
  }
}
