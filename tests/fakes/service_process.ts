import { readServiceFile } from "../../src/config/service_file.ts";

const ROOT = new URL("../../", import.meta.url);

/** What the tasks of the project start `main.ts` with. */
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
  /** What runs the command, `["unshare", "--pid"]`; the command's words follow. */
  readonly within?: readonly string[];
  readonly env?: { readonly [name: string]: string };
  /** Where the service prints; default: its standard error is shown if it does not start. */
  readonly printsTo?: "pipe" | "inherited";
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The words that run a toolgate command in a process of its own. */
export function toolgateCommand(
  args: readonly string[],
  { within = [], env = {} }: ProcessOptions = {},
): { readonly command: string; readonly options: Deno.CommandOptions } {
  const [command = "", ...rest] = [...within, ...TOOLGATE, ...args];
  return { command, options: { args: rest, cwd: ROOT, env, stdin: "null" } };
}

/** Runs a toolgate command in a process of its own, to its end. */
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
  /** The child: the service itself, or what it runs within. */
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
 * @param serviceFile where the service will write how it is found.
 * @throws {Error} with its standard error if the service ends before.
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

/** SIGKILL to the service itself, and waits for the end of the child. */
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

/** The toolgate below wrappers such as `unshare`, which have one child each. */
async function innermost(pid: number): Promise<number> {
  const line = (await readProcess(pid, "cmdline")).split("\0");
  if (line[0] === Deno.execPath()) return pid;
  const children = await readProcess(pid, `task/${pid}/children`);
  const [child] = children.trim().split(" ");
  if (child === undefined || child === "") throw new Error(`Process ${pid} has no child`);
  return await innermost(Number(child));
}

/** A file below `/proc/PID`: Deno itself reads those with all permissions only. */
export async function readProcess(pid: number, file: string): Promise<string> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/${file}`] }).output();
  return new TextDecoder().decode(stdout);
}
