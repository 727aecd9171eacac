import type { CallAnswer, CallRow } from "../../operations/read_calls.ts";
import { cutGraphemes } from "../../model/cut_graphemes.ts";
import { filterOf, FILTERS } from "../audit_filters.ts";
import type { Command } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { renderTable } from "../table.ts";

const { kind: _, ...CALL_FILTERS } = FILTERS;
const CELL_MAX = 60;

export const auditCalls: Command = {
  name: "calls",
  summary: "Calls with arguments, rule and result, for auditors; that you looked is recorded",
  options: {
    ...CALL_FILTERS,
    where: {
      value: "CONDITION",
      about: "Over the arguments, as a policy's `when`: args.amount > 100",
    },
    limit: { value: "N", about: "Most calls, up to 1000; default 100" },
  },
  examples: [
    'toolgate audit calls --tool pay.refund --since 7d --where "args.amount > 100"',
    "toolgate audit calls --principal ada --effect deny --json",
  ],
  async run(context) {
    const { kind: _kind, ...filter } = filterOf(context);
    const query = {
      ...filter,
      where: context.text("where"),
      limit: context.integer("limit", 1, 1_000),
    };
    const client = await context.connect();
    const answer = await client.call("GET /audit/calls", { query });
    if (context.json) answer.calls.forEach(context.output.json);
    else if (answer.calls.length > 0) context.output.result(renderCalls(answer.calls));
    context.output.note(summaryOf(answer));
    return EXIT.ok;
  },
};

function renderCalls(calls: readonly CallRow[]): string {
  return renderTable(
    ["TIME", "WHO", "TOOL", "ARGUMENTS", "EFFECT", "BECAUSE OF", "RESULT", "CALL"],
    calls.map((call) => [
      call.ts,
      call.principal,
      call.tool,
      cell(call.args),
      call.effect,
      call.reasons,
      call.error === null ? cell(call.result) : `${call.error.code}: ${cell(call.error.message)}`,
      call.call,
    ]),
  );
}

function cell(text: string | null): string {
  if (text === null) return "(not kept)";
  return text.length > CELL_MAX ? `${cutGraphemes(text, CELL_MAX)}…` : text;
}

function summaryOf({ calls, examined, withoutArguments, more }: CallAnswer): string {
  const lost = withoutArguments === 0
    ? ""
    : `; the arguments of ${withoutArguments} are not kept, nobody can say whether they match`;
  const rest = more ? "; there may be more: name a shorter period, or a higher --limit" : "";
  return `${calls.length} of ${examined} calls${lost}${rest}`;
}
