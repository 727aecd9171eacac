import { isFields } from "../model/json/fields.ts";
import { DEFAULT_SPACE } from "../model/space.ts";
import type { RecordedCall } from "../operations/recorded_call.ts";
import type { GateQuestion } from "../supervisor/call/explain_gate.ts";

/** The policy page's form as sent, so that the page can show it again. */
export interface ExplainForm {
  readonly sub: string;
  readonly client: string;
  /** Comma-separated: groups of the policy, or values of the claim. */
  readonly groups: string;
  /** Comma-separated. */
  readonly scopes: string;
  readonly call: string;
  /** JSON. */
  readonly args: string;
  readonly space: string;
  readonly tainted: boolean;
  /** Comma-separated servers whose results the program has seen. */
  readonly sources: string;
  /** Issuer of the principal; from a record. */
  readonly issuer: string;
  /** Id of the recorded call that the form was filled from. */
  readonly record: string;
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
    sources: short("sources"),
    issuer: short("issuer"),
    record: short("record"),
  };
}

/** A form filled from a recorded call, to ask the gate again. */
export function formOfRecord(recorded: RecordedCall): ExplainForm {
  return {
    sub: recorded.sub,
    client: recorded.client,
    groups: recorded.groups.join(", "),
    scopes: recorded.scopes.join(", "),
    call: recorded.tool,
    args: recorded.argsText ?? "",
    space: recorded.space,
    tainted: recorded.tainted,
    sources: recorded.sources.join(", "),
    issuer: recorded.issuer,
    record: recorded.call,
  };
}

/** The question of a form, or the problem of the form. */
export function toQuestion(
  form: ExplainForm,
): { readonly question: GateQuestion } | { readonly problem: string } {
  if (form.call === "") return { problem: "Name the tool to call, as server.tool." };
  let args: unknown;
  try {
    args = JSON.parse(form.args.trim() === "" ? "{}" : form.args);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: `The arguments are not JSON: ${reason}` };
  }
  if (!isFields(args)) {
    return { problem: 'The arguments must be one JSON object, like {"amount": 40}.' };
  }
  const execution = form.record.slice(0, Math.max(0, form.record.lastIndexOf(":")));
  return {
    question: {
      as: {
        ...(form.sub === "" ? {} : { sub: form.sub }),
        ...(form.client === "" ? {} : { client: form.client }),
        groups: splitList(form.groups),
        scopes: splitList(form.scopes),
      },
      ...(form.issuer === "" ? {} : { issuer: form.issuer }),
      call: form.call,
      args,
      execution: { tainted: form.tainted, sources: splitList(form.sources) },
      space: form.space === "" ? DEFAULT_SPACE : form.space,
      ...(execution === "" ? {} : { executionId: execution }),
    },
  };
}

function splitList(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== "");
}
