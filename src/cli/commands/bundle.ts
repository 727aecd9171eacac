import { basename, dirname, resolve } from "node:path";
import type { LoadedConfig } from "../../config/load_config.ts";
import { GateError, reportError } from "../../model/errors.ts";
import type { PolicyStatus } from "../../policy/active_policy.ts";
import { isStaleBundle } from "../../policy/bundle/activation.ts";
import {
  buildBundle,
  bundleDigest,
  bundleError,
  type PolicyBundle,
  signBundle,
  verifyBundle,
} from "../../policy/bundle/bundle.ts";
import { type BundleKey, generateBundleKeys } from "../../policy/bundle/signature.ts";
import { readKeyFile, readTrustedKeys } from "../../policy/bundle/trusted_keys.ts";
import { runPolicyTests } from "../../policy/check/policy_tests.ts";
import { loadPolicyFiles } from "../../policy/file/load_policy.ts";
import { parsePolicy } from "../../policy/file/parse_policy.ts";
import { compilePolicy } from "../../policy/policy.ts";
import { readBundleFile, readIfThere, readTextFile, replaceFile } from "../bundle_files.ts";
import type { Command, CommandContext, CommandGroup } from "../command.ts";
import { connect } from "../connect.ts";
import { EXIT } from "../exit_code.ts";
import { createLog, logLevelOf } from "../log.ts";
import { renderTable } from "../table.ts";
import { parseMoment, parseSpanMs } from "../time.ts";
import { usageError } from "../usage_error.ts";

const PRIVATE_MODE = 0o600;

const keygen: Command = {
  name: "keygen",
  summary: "Make a signing key: NAME.key.json, to be kept, and NAME.pub.json, to be trusted",
  positionals: "NAME",
  count: [1, 1],
  examples: ["toolgate bundle keygen ./keys/site"],
  async run(context) {
    const name = resolve(context.deps.cwd(), context.positionals[0] ?? "");
    const { publicKey, privateKey } = await generateBundleKeys();
    const files = { privateKey: `${name}.key.json`, publicKey: `${name}.pub.json` };
    await Deno.mkdir(dirname(name), { recursive: true });
    try {
      await Deno.writeTextFile(files.privateKey, toText(privateKey), {
        createNew: true,
        mode: PRIVATE_MODE,
      });
    } catch (cause) {
      if (!(cause instanceof Deno.errors.AlreadyExists)) throw cause;
      throw usageError(`"${files.privateKey}" exists already`, "Choose another name");
    }
    await replaceFile(files.publicKey, toText(publicKey));
    if (context.json) context.output.json({ kid: publicKey.kid, ...files });
    else {
      context.output.result(`${files.privateKey}\n${files.publicKey}`);
      context.output.note(
        `Key ${publicKey.kid}. Name the public file in bundle.trust of each service; ` +
          "whoever has the private one decides for all of them",
      );
    }
    return EXIT.ok;
  },
};

const build: Command = {
  name: "build",
  summary: "Pack policies and the pins of approved tools into an unsigned bundle",
  positionals: "[POLICIES]",
  count: [0, 1],
  options: {
    seq: { value: "N", about: "Number of the bundle; grows with each (required)" },
    "not-after": { value: "TIME", about: "When it ends: a date, or from now as 90d (required)" },
    out: { value: "FILE", about: "Where to write it (required)" },
    "no-pins": { about: "Leave out the pins; any approved definition is accepted then" },
  },
  examples: [
    "toolgate bundle build --seq 7 --not-after 90d --out acme.bundle.json",
    "toolgate bundle build ./policies --no-pins --seq 8 --not-after 2027-01-01 --out acme.json",
  ],
  async run(context) {
    const seq = context.integer("seq", 1, Number.MAX_SAFE_INTEGER);
    const ends = required(context, "not-after");
    const out = resolve(context.deps.cwd(), required(context, "out"));
    if (seq === undefined) throw usageError("--seq is missing", "Number the bundle: --seq N");
    const now = context.deps.now();
    const loaded = await context.loadConfig();
    const files = await readPolicies(context, loaded);
    const pins = context.flag("no-pins") ? {} : await askPins(context, loaded);
    const bundle = buildBundle({ files, pins, seq, issuedAt: now, notAfter: endOf(ends, now) });
    const failures = testFailures(files);
    if (failures.length > 0) {
      if (context.json) context.output.json({ ok: false, failures });
      else failures.forEach(context.output.result);
      context.output.note("The policy fails its own tests: no service would activate the bundle");
      return EXIT.failed;
    }
    await replaceFile(out, toText(bundle));
    printBundle(context, bundle, { file: out, digest: bundleDigest(bundle) });
    return EXIT.ok;
  },
};

const sign: Command = {
  name: "sign",
  summary: "Sign a bundle",
  positionals: "FILE",
  count: [1, 1],
  options: {
    key: { value: "FILE", about: "Private key, as bundle keygen makes it (required)" },
    out: { value: "FILE", about: "Where to write the signed one; default the file itself" },
  },
  examples: ["toolgate bundle sign acme.bundle.json --key ./keys/site.key.json"],
  async run(context) {
    const cwd = context.deps.cwd();
    const file = resolve(cwd, context.positionals[0] ?? "");
    const key = await readKeyFile(resolve(cwd, required(context, "key")));
    const bundle = await readBundleFile(file);
    const out = resolve(cwd, context.text("out") ?? file);
    await replaceFile(out, await signBundle(bundle, key));
    printBundle(context, bundle, { file: out, digest: bundleDigest(bundle) });
    return EXIT.ok;
  },
};

const verify: Command = {
  name: "verify",
  summary: "Check signature, content and end date of a bundle; exit code 1 and the reason if bad",
  positionals: "FILE",
  count: [1, 1],
  options: {
    trust: {
      value: "FILE,…",
      about: "Public keys, any of which may have signed; default bundle.trust",
    },
  },
  examples: ["toolgate bundle verify acme.bundle.json --trust site.pub.json,backup.pub.json"],
  async run(context) {
    const cwd = context.deps.cwd();
    const file = resolve(cwd, context.positionals[0] ?? "");
    const trusted = await trustedKeys(context);
    const text = await readTextFile(file, "bundle");
    return await unlessBad(context, async () => {
      const { bundle, digest, keyId } = await verifyBundle(text, trusted);
      if (isStaleBundle(bundle, context.deps.now())) {
        throw bundleError(`it is stale since ${bundle.notAfter}`, "Build a newer one");
      }
      printBundle(context, bundle, { file, digest, signedBy: keyId });
    });
  },
};

const activate: Command = {
  name: "activate",
  summary: "Verify a bundle, put it in its configured place and have the service decide by it",
  positionals: "FILE",
  count: [1, 1],
  examples: ["toolgate bundle activate acme.bundle.json --config /etc/toolgate/toolgate.yaml"],
  async run(context) {
    const { config } = await context.loadConfig();
    if (config.bundle === undefined) {
      throw usageError(
        "The configuration names no place and no trusted keys for a bundle",
        'Add bundle: { path: ./acme.bundle.json, trust: ["./site.pub.json"] }',
      );
    }
    const { path } = config.bundle;
    const text = await readTextFile(
      resolve(context.deps.cwd(), context.positionals[0] ?? ""),
      "bundle",
    );
    const trusted = await trustedKeys(context);
    return await unlessBad(context, async () => {
      const { bundle, digest, keyId } = await verifyBundle(text, trusted);
      const status = await putInForce(context, path, text, digest);
      printBundle(context, bundle, { file: path, digest, signedBy: keyId });
      for (const problem of status.problems) context.output.note(`Warning: ${problem}`);
    });
  },
};

export const bundleCommands: CommandGroup = {
  name: "bundle",
  summary: "Signed policy bundles for sites without a network",
  commands: [build, sign, verify, activate, keygen],
};

/**
 * Replaces the bundle and makes the service read it. If the service refuses it, the old bundle is
 * restored, so that the next start does not fail.
 */
async function putInForce(
  context: CommandContext,
  path: string,
  text: string,
  digest: string,
): Promise<PolicyStatus> {
  const before = await readIfThere(path);
  await replaceFile(path, text);
  const { status, reason } = await reload(context);
  if (reason !== null) {
    if (before === null) await Deno.remove(path);
    else await replaceFile(path, before);
    throw bundleError(reason, "What was in force stays in force");
  }
  if (status.digest === digest) return status;
  throw bundleError(
    `the service decides by ${status.source}, not by ${path}`,
    "Restart the service, so that it reads its configuration again",
  );
}

type Reloaded =
  | { readonly status: PolicyStatus; readonly reason: null }
  | { readonly status: null; readonly reason: string };

async function reload(context: CommandContext): Promise<Reloaded> {
  try {
    const client = await context.connect();
    const status = await client.call("POST /policy/reload");
    return status.rejected === null
      ? { status, reason: null }
      : { status: null, reason: withoutSubject(status.rejected) };
  } catch (error) {
    // Without a service the application in this process refuses the bundle when it opens.
    if (!(error instanceof GateError) || error.code !== "ERR_CONFIG") throw error;
    return { status: null, reason: withoutSubject(error.message) };
  }
}

function withoutSubject(message: string): string {
  return message.replace(/^Cannot use the policy bundle: /, "");
}

async function unlessBad(context: CommandContext, work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return EXIT.ok;
  } catch (error) {
    const { code, message, hint } = reportError(error);
    if (code !== "ERR_CONFIG") throw error;
    if (context.json) context.output.json({ ok: false, reason: message });
    else context.output.result(message);
    context.output.note(`  ${hint}`);
    return EXIT.failed;
  }
}

async function readPolicies(context: CommandContext, { config }: LoadedConfig) {
  const [given] = context.positionals;
  const path = given === undefined ? config.policies : resolve(context.deps.cwd(), given);
  if (path === undefined || path === "open") {
    throw usageError(
      "The configuration names no policy files",
      "Name them: toolgate bundle build ./policies …",
    );
  }
  // A bundle holds only file names: other machines must not learn the folders of this one.
  return (await loadPolicyFiles(path)).map(({ path, text }) => ({ path: basename(path), text }));
}

/**
 * Pins of the running service, or of the current upstreams. It ignores the configured bundle,
 * because building the first bundle must work before one exists.
 */
async function askPins(
  context: CommandContext,
  loaded: LoadedConfig,
): Promise<PolicyBundle["pins"]> {
  const { deps } = context;
  const { bundle: _, ...config } = loaded.config;
  const log = createLog(deps, logLevelOf(deps.env("TOOLGATE_LOG"), "warn"));
  const client = await connect(deps, { ...loaded, config }, log);
  try {
    const { pins } = await client.call("GET /pins");
    const { servers } = await client.call("GET /tools");
    for (const { server, error } of servers) {
      if (Object.hasOwn(pins, server)) continue;
      context.output.note(`Warning: ${server} is not pinned: ${error ?? "it has no tools"}`);
    }
    return pins;
  } finally {
    await client.close();
  }
}

function testFailures(files: Awaited<ReturnType<typeof readPolicies>>): string[] {
  const { policy } = compilePolicy(parsePolicy(files), []);
  return runPolicyTests(policy, []).failures.map(({ message }) => message);
}

async function trustedKeys(context: CommandContext): Promise<BundleKey[]> {
  const named = context.text("trust")?.split(",").map((path) => path.trim()).filter(Boolean);
  const configured = async () => (await context.loadConfig()).config.bundle?.trust ?? [];
  const places = named?.map((path) => resolve(context.deps.cwd(), path)) ?? await configured();
  if (places.length === 0) {
    throw usageError("No key is trusted", "Name one: --trust FILE, or bundle.trust");
  }
  return await readTrustedKeys(places);
}

function endOf(text: string, now: number): number {
  return /^\d+[a-z]+$/.test(text)
    ? now + parseSpanMs(text, "--not-after")
    : parseMoment(text, "--not-after", now);
}

function printBundle(
  context: CommandContext,
  bundle: PolicyBundle,
  facts: { readonly file: string; readonly digest: string; readonly signedBy?: string },
): void {
  const { name, seq, issuedAt, notAfter, policies, pins } = bundle;
  const pinned = Object.values(pins).reduce((sum, tools) => sum + Object.keys(tools).length, 0);
  if (context.json) {
    context.output.json({ ok: true, name, seq, issuedAt, notAfter, pins: pinned, ...facts });
    return;
  }
  context.output.result(
    renderTable(["", ""], [
      ["bundle", `${name}, number ${seq}`],
      ["digest", facts.digest],
      ["file", facts.file],
      ...(facts.signedBy === undefined ? [] : [["signed by", facts.signedBy]]),
      ["issued", issuedAt],
      ["ends", notAfter],
      ["holds", `${policies.length} policy files, ${pinned} pins`],
    ]).trimStart(),
  );
}

function required(context: CommandContext, option: string): string {
  const text = context.text(option);
  if (text !== undefined) return text;
  throw usageError(`--${option} is missing`, "See the help of the command");
}

function toText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
