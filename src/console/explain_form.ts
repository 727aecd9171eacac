import type { ExplainQuestion } from "./console_deps.ts";

/** The policy page's form as it was sent, to be shown again. */
export interface ExplainForm {
  readonly sub: string;
  readonly client: string;
  /** Comma-separated. */
  readonly groups: string;
  /** Comma-separated; empty: every scope. */
  readonly scopes: string;
  readonly call: string;
  /** JSON. */
  readonly args: string;
  readonly space: string;
  readonly tainted: boolean;
}

const FIELD_CHARACTERS_MAX = 2_000;
const ARGS_CHARACTERS_MAX = 65_536;

export function readExplainForm(field: (name: string) => string): ExplainForm {
  const short = (name: string) => field(name).slice(0, FIELD_CHARACTERS_MAX);
  return {
    sub: short("sub"),
    client: short("client"),
    groups: short("groups"),
    scopes: short("scopes"),
    call: short("call").trim(),
    args: field("args").slice(0, ARGS_CHARACTERS_MAX),
    space: short("space"),
    tainted: field("tainted") !== "",
  };
}

/** The question of a form, or what is wrong with it. */
export function toQuestion(
  form: ExplainForm,
): { readonly question: ExplainQuestion } | { readonly problem: string } {
  if (form.call === "") return { problem: "Name the tool to call, as server.tool." };
  let args: unknown;
  try {
    args = JSON.parse(form.args.trim() === "" ? "{}" : form.args);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: `The arguments are not JSON: ${reason}` };
  }
  if (typeof args !== "object" || args === null || Array.isArray(args)) {
    return { problem: 'The arguments must be one JSON object, like {"amount": 40}.' };
  }
  return {
    question: {
      as: {
        sub: form.sub,
        client: form.client,
        groups: splitList(form.groups),
        scopes: form.scopes.trim() === "" ? null : splitList(form.scopes),
      },
      call: form.call,
      args,
      tainted: form.tainted,
      space: form.space === "" ? "default" : form.space,
    },
  };
}

function splitList(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== "");
}
