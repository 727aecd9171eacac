import { createSecretResolver, systemSecretDeps } from "../../config/secrets.ts";
import type { AttackReport } from "../../operations/attack.ts";
import { reportError } from "../../model/errors.ts";
import type { ApiClient } from "../api_client.ts";
import { checkApis } from "../check_apis.ts";
import type { Command, CommandContext } from "../command.ts";
import {
  type Check,
  checkClock,
  checkConfig,
  checkHealth,
  checkSecrets,
  checkSelfTest,
  fail,
  ok,
  renderChecks,
  SELF_TEST,
  warn,
} from "../doctor_checks.ts";
import { EXIT } from "../exit_code.ts";
import { renderTable } from "../table.ts";

/** Permissions that the service needs for all names; network access may be limited to hosts. */
const PERMISSIONS = ["read", "write", "env", "run"] as const;

export const doctorCommand: Command = {
  name: "doctor",
  summary: "Check configuration, store, upstreams, sandbox and clock, each with its remedy",
  options: {
    attack: { about: "Also run hostile programs against the sandbox; takes up to a minute" },
  },
  examples: [
    "toolgate doctor",
    "toolgate doctor --attack",
    "toolgate doctor --config toolgate.yaml --json",
  ],
  async run(context) {
    const loaded = await context.loadConfig();
    const { config, source, baseDir } = loaded;
    const checks: Check[] = [checkConfig(config, source), await checkPermissions()];
    let client: ApiClient | null = null;
    try {
      client = await context.connect();
    } catch (error) {
      checks.push(failed(error));
    }
    if (client !== null) {
      checks.push(
        ok("service", client.isService ? "runs" : "does not run; checked in this process"),
      );
      // A running service resolves secrets in its own environment, not in this one.
      if (!client.isService) {
        const resolve = createSecretResolver({
          ...systemSecretDeps(baseDir),
          env: context.deps.env,
        });
        checks.push(await checkSecrets(config, resolve));
      }
      checks.push(...await checkService(context, client));
    }
    if (!context.json) context.output.result(renderChecks(checks));
    const attacked = context.flag("attack") && client !== null
      ? await attack(context, client)
      : null;
    const isHealthy = checks.every((check) => check.status !== "fail") && attacked?.ok !== false;
    if (context.json) {
      const attacks = attacked === null ? {} : { attacks: attacked.attacks };
      context.output.json({ ok: isHealthy, checks, ...attacks });
    }
    return isHealthy ? EXIT.ok : EXIT.failed;
  },
};

async function attack(context: CommandContext, client: ApiClient): Promise<AttackReport> {
  context.output.note("Attacking the sandbox…");
  const report = await client.call("POST /attack");
  const { attacks, isolation } = report;
  if (!context.json) {
    const rows = attacks.map(({ ok, name, expected, got, ms }) => [
      ok ? "held" : "FAIL",
      name,
      expected,
      got,
      `${ms} ms`,
    ]);
    context.output.result(`\n${renderTable(["", "ATTACK", "MUST BE", "WAS", "TOOK"], rows)}`);
  }
  const held = attacks.filter(({ ok }) => ok).length;
  context.output.note(`${held} of ${attacks.length} attacks held at level ${isolation}`);
  return report;
}

async function checkService(context: CommandContext, client: ApiClient): Promise<Check[]> {
  try {
    const { config } = await context.loadConfig();
    const health = await client.call("GET /health");
    // Read the clock now: the checks below may take longer than the allowed clock difference.
    const heardAt = context.deps.now();
    return [
      ...checkHealth(health, config),
      ...await checkApis(health.servers, config),
      await selfTest(client),
      checkClock(heardAt, health),
    ];
  } catch (error) {
    return [failed(error)];
  }
}

async function selfTest(client: ApiClient): Promise<Check> {
  try {
    return checkSelfTest(await client.call("POST /execute", { body: { code: SELF_TEST } }));
  } catch (error) {
    const { message, hint } = reportError(error);
    return fail("self test", message, hint);
  }
}

/** The operator who runs doctor may read causes that agents never see. */
function failed(error: unknown): Check {
  const { code, message, hint } = reportError(error);
  return code === "ERR_INTERNAL"
    ? fail("service", `${message}: ${error}`, "This is a defect of toolgate; please report it")
    : fail("service", message, hint);
}

async function checkPermissions(): Promise<Check> {
  const lacking = async (name: typeof PERMISSIONS[number] | "net") =>
    (await Deno.permissions.query({ name })).state !== "granted";
  const detail = `Deno ${Deno.version.deno}, ${Deno.build.target}`;
  const missing = (await Promise.all(PERMISSIONS.map(lacking)))
    .flatMap((isMissing, index) => isMissing ? [PERMISSIONS[index]] : []);
  if (missing.length > 0) {
    return fail(
      "runtime",
      `${detail}, without permission for ${missing.join(", ")}`,
      'Start it with "deno task toolgate" or as the binary',
    );
  }
  return await lacking("net")
    ? warn("runtime", `${detail}, network limited by --allow-net`, "Allow the hosts of upstreams")
    : ok("runtime", detail);
}
