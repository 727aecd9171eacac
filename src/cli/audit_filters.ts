import type { ApiRequest } from "./api_client.ts";
import type { CommandContext, Option } from "./command.ts";
import { parseMoment } from "./time.ts";

/** Options of everything that looks at a period. */
export const PERIOD: { readonly [name: string]: Option } = {
  since: { value: "TIME", about: "From then on: 2026-04-01, 2026-04-01T12:00Z, or 1h ago as 1h" },
  until: { value: "TIME", about: "Before then" },
};

/** Options of everything that selects audit records. */
export const FILTERS: { readonly [name: string]: Option } = {
  ...PERIOD,
  principal: { value: "SUB", about: "Who called" },
  tool: { value: "NAME", about: "SERVER.TOOL" },
  execution: { value: "ID", about: "One execution" },
  effect: { value: "E", about: "allow, ask, deny or hidden" },
  kind: { value: "K", about: "call.intent, call.outcome, execution.end, search, …" },
};

export type Filter = NonNullable<ApiRequest["query"]>;

export function periodOf(context: CommandContext): Filter {
  const moment = (option: string) => {
    const text = context.text(option);
    return text === undefined ? undefined : parseMoment(text, `--${option}`, context.deps.now());
  };
  return { since: moment("since"), until: moment("until") };
}

export function filterOf(context: CommandContext): Filter {
  return {
    ...periodOf(context),
    principal: context.text("principal"),
    tool: context.text("tool"),
    execution: context.text("execution"),
    effect: context.text("effect"),
    kind: context.text("kind"),
  };
}
