import type { RouteInput } from "../http/api/client_types.ts";
import { AUDIT_KINDS } from "../model/event.ts";
import { SHOWN_EFFECTS } from "../model/verdict.ts";
import type { CommandContext, Option } from "./command.ts";
import { oneOf } from "./one_of.ts";
import { parseMoment } from "./time.ts";
import { usageError } from "./usage_error.ts";

/** Options of commands about a period. */
export const PERIOD: { readonly [name: string]: Option } = {
  since: { value: "TIME", about: "From then on: 2026-04-01, 2026-04-01T12:00Z, or 1h ago as 1h" },
  until: { value: "TIME", about: "Before then" },
};

/** Options of commands that select audit records. */
export const FILTERS: { readonly [name: string]: Option } = {
  ...PERIOD,
  principal: { value: "SUB", about: "Who called" },
  tool: { value: "NAME", about: "SERVER.TOOL" },
  execution: { value: "ID", about: "One execution" },
  effect: {
    value: "E",
    about: "What became of it: deny (all that was stopped), refused, failed, allow, …",
  },
  kind: { value: "K", about: "call.intent, call.outcome, execution.end, search, …" },
};

export type Filter = NonNullable<RouteInput<"GET /audit">["query"]>;

export function periodOf(context: CommandContext): Pick<Filter, "since" | "until"> {
  const moment = (option: string) => {
    const text = context.text(option);
    return text === undefined ? undefined : parseMoment(text, `--${option}`, context.deps.now());
  };
  const [since, until] = [moment("since"), moment("until")];
  if (since !== undefined && until !== undefined && since >= until) {
    throw usageError("--since is not before --until", "Nothing can lie between them: swap them?");
  }
  return { since, until };
}

export function filterOf(context: CommandContext): Filter {
  return {
    ...periodOf(context),
    principal: context.text("principal"),
    tool: context.text("tool"),
    execution: context.text("execution"),
    effect: oneOf(context, "effect", SHOWN_EFFECTS),
    kind: oneOf(context, "kind", AUDIT_KINDS),
  };
}
