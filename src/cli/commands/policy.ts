import type { RouteAnswer } from "../../http/api/client_types.ts";
import { GateError } from "../../model/errors.ts";
import { findNonFinite } from "../../model/json/json_numbers.ts";
import type { Explanation, RuleTrace } from "../../policy/explain.ts";
import type { GateExplanation, GateStep } from "../../supervisor/call/explain_gate.ts";
import type { ApiClient } from "../api_client.ts";
import type { Command, CommandContext, CommandGroup, Output } from "../command.ts";
import { EXIT } from "../exit_code.ts";
import { renderTable } from "../table.ts";
import { usageError } from "../usage_error.ts";

type CheckAnswer = RouteAnswer<"POST /policy/check">;

const check: Command = {
  name: "check",
  summary: "Load the policy and type-check it against the tools",
  examples: ["toolgate policy check", "toolgate policy check --json"],
  async run(context) {
    // A mistake in toolgate.yaml is not one of the policy: exit with 2, as all commands do.
    await context.loadConfig();
    const found: { service?: ApiClient } = {};
    const answer = await unlessUnusable(context, async (client) => {
      if (client.isService) found.service = client;
      return await client.call("POST /policy/check");
    });
    const { service } = found;
    if (answer === null) {
      const inForce = await service?.call("GET /policy");
      if (inForce !== undefined) {
        context.output.note(`NOT in force: ${describeDecider(inForce)}`);
      }
      return EXIT.failed;
    }
    if (context.json) context.output.json(answer);
    else {
      for (const { severity, text } of answer.problems) {
        context.output.result(`${severity} ${text}`);
      }
      context.output.note(
        `${answer.name} from ${answer.source}: ${answer.ok ? "ok" : "not usable"}, ` +
          `${answer.problems.length} problems, digest ${answer.digest}`,
      );
      if (service !== undefined) context.output.note(describeInForce(answer));
    }
    return answer.ok ? EXIT.ok : EXIT.failed;
  },
};

const test: Command = {
  name: "test",
  summary: "Run the tests that the policy files hold",
  examples: ["toolgate policy test"],
  async run(context) {
    await context.loadConfig();
    const answer = await unlessUnusable(
      context,
      (client) => client.call("POST /policy/test"),
    );
    if (answer === null) return EXIT.failed;
    if (context.json) context.output.json(answer);
    else {
      for (const { message } of answer.failures) context.output.result(message);
      context.output.note(`${answer.passed} of ${answer.total} tests passed`);
    }
    return answer.failures.length === 0 ? EXIT.ok : EXIT.failed;
  },
};

const explain: Command = {
  name: "explain",
  summary: "Explain one decision: effect, every rule, obligations; nothing is called",
  options: {
    call: { value: "TOOL", about: "The tool, as SERVER.TOOL (required)" },
    args: { value: "JSON", about: "Its arguments; default {}" },
    as: { value: "JSON", about: 'Who calls, as {"sub", "client", "groups", "scopes"} or claims' },
    exec: {
      value: "JSON",
      about: 'What the program has seen, as {"tainted": true, "sources": []}',
    },
    space: { value: "S", about: "Space that is called" },
  },
  examples: [
    `toolgate policy explain --as '{"groups":["finance"]}' --call pay.refund --args '{"amount":40}'`,
  ],
  async run(context) {
    const call = context.text("call");
    if (call === undefined) {
      throw usageError(
        '"toolgate policy explain" needs --call',
        "Name the tool: --call SERVER.TOOL",
      );
    }
    const body = {
      call,
      as: jsonOption(context, "as"),
      args: jsonOption(context, "args"),
      exec: jsonOption(context, "exec"),
      space: context.text("space"),
    };
    const client = await context.connect({ unusablePolicy: "close" });
    const answer = await client.call("POST /policy/explain", { body });
    if (context.json) context.output.json(answer);
    else printExplanation(context.output, call, answer);
    for (const note of answer.notes) context.output.note(note);
    if (answer.rejected !== null) {
      const subject = client.isService
        ? "Explained by the policy in force; the files as they are now"
        : "The files";
      context.output.note(`${subject} cannot be activated:\n${answer.rejected}`);
    }
    return EXIT.ok;
  },
};

export const policyCommands: CommandGroup = {
  name: "policy",
  summary: "The rules: who may call what, with which arguments",
  commands: [check, test, explain],
};

/** Says whether the service uses the policy that was checked. */
function describeInForce({ digest, inForce, rejected }: CheckAnswer): string {
  if (inForce.digest === digest) return `The service has it in force since ${inForce.since}`;
  const why = rejected === null
    ? "it reads changed files again within seconds, or at POST /policy/reload"
    : `it has not activated these files: ${rejected}`;
  return `NOT in force: ${describeDecider(inForce)}; ${why}`;
}

function describeDecider({ name, digest, since }: CheckAnswer["inForce"]): string {
  return `the service decides with "${name}", digest ${digest}, since ${since}`;
}

/** If the policy cannot be loaded, the check fails and its problems are the result. */
async function unlessUnusable<Answer>(
  context: CommandContext,
  ask: (client: Awaited<ReturnType<CommandContext["connect"]>>) => Promise<Answer>,
): Promise<Answer | null> {
  try {
    return await ask(await context.connect({ unusablePolicy: "close" }));
  } catch (error) {
    if (!(error instanceof GateError) || error.code !== "ERR_CONFIG") throw error;
    const { message, hint } = error;
    if (context.json) {
      context.output.json({ ok: false, problems: [{ severity: "error", text: message }] });
    } else context.output.result(message);
    context.output.note(`  ${hint}`);
    return null;
  }
}

function jsonOption(context: CommandContext, option: string): unknown {
  const text = context.text(option);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw usageError(
      `Option "--${option}" is not JSON: ${text.slice(0, 60)}`,
      `Quote it for your shell: --${option} '{"name": "value"}'`,
    );
  }
  const place = findNonFinite(value, option);
  if (place === null) return value;
  throw usageError(`In option "--${option}", ${place} is not a finite number`, "Use a smaller one");
}

function printExplanation(output: Output, call: string, answer: GateExplanation): void {
  const { decision, policy, groups, space, obligations } = answer;
  const shown = decision.observed === null
    ? answer.effect
    : `${answer.effect} (would be ${decision.observed}; the policy only observes)`;
  output.result(`${call}: ${shown}, because of ${decision.because.join(", ") || "nothing"}`);
  if (answer.gateEffect !== answer.effect) {
    output.result(`  The gate stops exactly this call: ${answer.gateEffect}, see its steps`);
  }
  if (decision.message !== "") output.result(`  ${decision.message}`);
  output.result(
    renderTable(["", ""], [
      ["class", decision.access],
      ["visible", answer.visibility === null ? "no" : answer.visibility.effect],
      ["groups", groups.join(", ") || "none"],
      ["space", spaceText(space)],
      ["policy", `${policy.name} (${policy.mode}), digest ${policy.digest}`],
    ]).trimStart(),
  );
  output.result(
    `\nThe gate, step by step:\n${
      renderTable(
        ["STEP", "", "WHY"],
        answer.steps.map(({ step, outcome, text }) => [
          step,
          OUTCOMES[outcome],
          text,
        ]),
      )
    }`,
  );
  const matched = answer.rules.filter((rule) => rule.matched);
  const others = answer.rules.filter((rule) => !rule.matched);
  printRules(output, "Rules that match", matched);
  printRules(output, "Rules that do not", others);
  const duties = obligationLines(obligations);
  if (duties.length > 0) output.result(`\nObligations:\n${duties.join("\n")}`);
}

const OUTCOMES: { readonly [outcome in GateStep["outcome"]]: string } = {
  pass: "passes",
  stop: "stops it",
  wait: "waits",
};

function spaceText(space: Explanation["space"]): string {
  const enter = space.canEnter ? "" : ", which the principal may not enter";
  const has = space.hasTool
    ? ""
    : `, which lacks the tool (it is in ${space.toolIsIn.join(", ") || "none"})`;
  return `${space.name}${enter}${has}`;
}

function printRules(output: Output, title: string, rules: readonly RuleTrace[]): void {
  if (rules.length === 0) return;
  const table = renderTable(
    ["RULE", "EFFECT", "VERDICT", "WHERE"],
    rules.map((rule) => [
      rule.id,
      rule.observe ? `${rule.effect} (observe)` : rule.effect,
      rule.detail === "" ? rule.verdict : `${rule.verdict}: ${rule.detail}`,
      `${rule.place.path}:${rule.place.line}`,
    ]),
  );
  output.result(`\n${title}:\n${table}`);
}

function obligationLines(obligations: Explanation["obligations"]): string[] {
  return [
    ...obligations.approvals.map((demand) =>
      `  approval by ${demand.by} for ${demand.rule}: ${demand.message}`
    ),
    ...obligations.limits.map((limit) =>
      `  limit ${limit.id}: ${limit.max} ${limit.unit} per ${limit.per}`
    ),
    ...(obligations.redact.length > 0 ? [`  redact ${obligations.redact.join(", ")}`] : []),
    ...(obligations.resultBytesMax === null
      ? []
      : [`  result of at most ${obligations.resultBytesMax} bytes`]),
    ...(obligations.untrusted ? ["  the result taints the rest of the execution"] : []),
    ...(obligations.priceUsd > 0 ? [`  costs ${obligations.priceUsd} USD`] : []),
  ];
}
