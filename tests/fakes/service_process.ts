import { readServiceFile } from "../../src/config/service_file.ts";

const ROOT = new URL("../../", import.meta.url);

/** The command with which the project's tasks start `main.ts`. */
const TOOLGATE = [
  Deno.execPath(),
  "run",
  "--cached-only",
  "--no-remote",
  "--no-prompt",
  "--no-check",
  "--v8-flags=--max-semi-space-size=4",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run",
  "--allow-sys",
  "--deny-ffi",
  new URL("main.ts", ROOT).pathname,
];

export interface ProcessOptions {
  /** A wrapper command such as `["unshare", "--pid"]`; the command's words follow it. */
  readonly within?: readonly string[];
  readonly env?: { readonly [name: string]: string };
  /** Output of the service; default: shows its standard error only if it does not start. */
  readonly printsTo?: "pipe" | "inherited";
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The words that run a toolgate command in its own process. */
export function toolgateCommand(
  args: readonly string[],
  { within = [], env = {} }: ProcessOptions = {},
): { readonly command: string; readonly options: Deno.CommandOptions } {
  const [command = "", ...rest] = [...within, ...TOOLGATE, ...args];
  return { command, options: { args: rest, cwd: ROOT, env, stdin: "null" } };
}

/** Runs a toolgate command in its own process until it ends. */
export async function runToolgate(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Ended> {
  const { command, options: start } = toolgateCommand(args, options);
  const { code, stdout, stderr } = await new Deno.Command(command, start).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

export interface ServiceProcess {
  /** The child: the service itself, or its wrapper command. */
  readonly child: Deno.ChildProcess;
  /** Process id as this process sees it. */
  readonly pid: number;
  readonly url: string;
  readonly token: string;
  readonly instance: string;
}

/**
 * Serves a configuration file and waits until the service answers.
 *
 * @param serviceFile path of the service file that the service will write.
 * @throws {Error} with the standard error of the service if it ends before it answers.
 */
export async function spawnService(
  configFile: string,
  serviceFile: string,
  options: ProcessOptions = {},
): Promise<ServiceProcess> {
  const before = (await readServiceFile(serviceFile))?.instance;
  const { command, options: start } = toolgateCommand(["serve", "--config", configFile], options);
  const print = options.printsTo ?? "log";
  const child = new Deno.Command(command, {
    ...start,
    stdout: print === "log" ? "null" : print === "pipe" ? "piped" : "inherit",
    stderr: print === "inherited" ? "inherit" : "piped",
  }).spawn();
  let log = "";
  const reading = print !== "log" ? null : child.stderr.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({
      write(text) {
        log = (log + text).slice(-20_000);
      },
    }),
  ).catch(() => {});
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  const until = performance.now() + 60_000;
  for (;;) {
    const file = await readServiceFile(serviceFile);
    if (file !== null && file.instance !== before && await isReady(file.url)) {
      return { ...file, child, pid: await innermost(child.pid) };
    }
    if (hasEnded || performance.now() > until) {
      if (!hasEnded) child.kill("SIGKILL");
      await reading;
      throw new Error(`The service did not start: ${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** Sends SIGKILL to the service itself and waits for the end of the child. */
export async function killService(service: ServiceProcess): Promise<void> {
  Deno.kill(service.pid, "SIGKILL");
  await service.child.status;
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** The toolgate process below wrappers such as `unshare`, which have one child each. */
async function innermost(pid: number): Promise<number> {
  const line = (await readProcess(pid, "cmdline")).split("\0");
  if (line[0] === Deno.execPath()) return pid;
  const children = await readProcess(pid, `task/${pid}/children`);
  const [child] = children.trim().split(" ");
  if (child === undefined || child === "") throw new Error(`Process ${pid} has no child`);
  return await innermost(Number(child));
}

/** A file below `/proc/PID`, read by `cat`: Deno reads these files only with all permissions. */
export async function readProcess(pid: number, file: string): Promise<string> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/${file}`] }).output();
  return new TextDecoder().decode(stdout);
}
