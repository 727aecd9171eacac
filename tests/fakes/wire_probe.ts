/**
 * Lists and calls upstreams as the service does, in its own process: with its own environment, and
 * with host names that the tests' permissions do not include. Prints the outcome of each call.
 */
import { runCommand } from "../../src/config/run_command.ts";
import { siteEnvironment, takeProxyVariables } from "../../src/config/site_environment.ts";
import { siteFetch } from "../../src/dial/site_fetch.ts";
import { callOf, openTestUpstreams } from "./upstream_parts.ts";

export interface ProbeInput {
  readonly config: Parameters<typeof openTestUpstreams>[0];
  readonly calls: readonly { server: string; name: string; args: { [name: string]: unknown } }[];
  readonly site?: SiteInput;
}

/** Other work of the process, besides its upstreams. */
export interface SiteInput {
  /** URLs to fetch in the same way as issuers and receivers of records. */
  readonly urls: readonly string[];
  /** A command to run in the same way as for a secret reference. */
  readonly command: string;
}

export interface ProbeOutput {
  /** The answer of each call as JSON, or its error message. */
  readonly answers: readonly string[];
  /** Server to the reason why it is down. */
  readonly reasons: { readonly [server: string]: string | null };
  /** Bodies of the answers, or messages of the errors. */
  readonly fetched: readonly string[];
  readonly printed: string;
  /** Proxy variables still in the environment. */
  readonly left: readonly string[];
}

/** Runs the probe with variables added to the environment of this process. */
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

const BOUNDS = { cwd: "/", timeoutMs: 10_000, outputBytesMax: 10_000 };

async function probe({ config, calls, site }: ProbeInput): Promise<ProbeOutput> {
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
  const fetched: string[] = [];
  for (const url of site?.urls ?? []) {
    const body = siteFetch(url).then((response) => response.text(), (error) => error.message);
    fetched.push(await body);
  }
  const printed = site === undefined ? "" : (await runCommand(site.command, BOUNDS)).stdout;
  return { answers, reasons, fetched, printed, left };
}

if (import.meta.main) {
  console.log(JSON.stringify(await probe(JSON.parse(Deno.env.get("WIRE_PROBE") ?? "{}"))));
}
