/**
 * Lists and calls upstreams as the service does, in a process of its own: with its own environment, and
 * with names that the tests' permissions do not have. Prints what became of each call.
 */
import { siteEnvironment, takeProxyVariables } from "../../src/config/site_environment.ts";
import { callOf, openTestUpstreams } from "./upstream_parts.ts";

export interface ProbeInput {
  readonly config: Parameters<typeof openTestUpstreams>[0];
  readonly calls: readonly { server: string; name: string; args: { [name: string]: unknown } }[];
}

export interface ProbeOutput {
  /** For each call its answer as JSON, or the message of its error. */
  readonly answers: readonly string[];
  /** By server, why it is down. */
  readonly reasons: { readonly [server: string]: string | null };
  /** Proxy variables that are left in the environment. */
  readonly left: readonly string[];
}

/** Runs the probe with a given environment beside the one of this process. */
export async function runProbe(
  input: ProbeInput,
  env: { readonly [name: string]: string } = {},
): Promise<ProbeOutput> {
  const { stdout, code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--cached-only", "--no-prompt", "--no-check", "-A", import.meta.filename ?? ""],
    env: {
      DENO_CERT: new URL("./tls/authority.pem", import.meta.url).pathname,
      WIRE_PROBE: JSON.stringify(input),
      ...env,
    },
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`The probe ended with ${code}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function probe({ config, calls }: ProbeInput): Promise<ProbeOutput> {
  takeProxyVariables();
  await using upstreams = openTestUpstreams(config, { env: siteEnvironment });
  const answers: string[] = [];
  for (const { server, name, args } of calls) {
    try {
      await upstreams.list(server);
      const answer = await upstreams.call(callOf(server, name, args as never));
      answers.push(JSON.stringify(answer));
    } catch (error) {
      answers.push((error as Error).message);
    }
  }
  const reasons = Object.fromEntries(
    upstreams.servers.map((server) => [server, upstreams.status(server).error]),
  );
  const left = Object.keys(Deno.env.toObject()).filter((name) => /_proxy$/i.test(name));
  return { answers, reasons, left };
}

if (import.meta.main) {
  console.log(JSON.stringify(await probe(JSON.parse(Deno.env.get("WIRE_PROBE") ?? "{}"))));
}
