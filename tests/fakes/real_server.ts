import assert from "node:assert/strict";

/**
 * The folder where `.ci/run` installs the packages of tests/servers/packages.txt. By hand:
 * `npm install --prefix FOLDER $(grep -v "^#" tests/servers/packages.txt)`.
 */
export const SERVERS_FOLDER = Deno.env.get("TOOLGATE_TEST_SERVERS") ??
  `${Deno.env.get("HOME")}/.cache/toolgate-ci/servers`;

/** A third-party server in its own process. */
export interface RealServer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** Everything that the server has printed so far. */
  readonly output: () => string;
}

export interface RealServerOptions {
  readonly command: string;
  /** `PORT` stands for the port on which the server must listen. */
  readonly args: readonly string[];
  /** Added to the environment of this process; the value `PORT` stands for the port. */
  readonly env?: { readonly [name: string]: string };
  /** A file of tests/servers that the command reads from standard input. */
  readonly script?: string;
  /** The port to listen on; default: any free port. */
  readonly port?: number;
}

const START_MS_MAX = 60_000;
const OUTPUT_CHARACTERS_MAX = 100_000;

/** A Node program of tests/servers, read from standard input so that it finds the packages. */
export function nodeScript(script: string): RealServerOptions {
  return { command: "node", args: ["--input-type=module", "-", "PORT"], script };
}

/** Starts a server and waits until it accepts connections. */
export async function startRealServer(options: RealServerOptions): Promise<RealServer> {
  const port = options.port ?? freePort();
  const withPort = (text: string) => text === "PORT" ? String(port) : text;
  const child = new Deno.Command(options.command, {
    args: options.args.map(withPort),
    env: Object.fromEntries(
      Object.entries(options.env ?? {}).map(([name, value]) => [name, withPort(value)]),
    ),
    cwd: SERVERS_FOLDER,
    stdin: options.script === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output = (output + text).slice(-OUTPUT_CHARACTERS_MAX);
    }
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]);
  let ended = false;
  child.status.then(() => ended = true);
  const stop = async () => {
    if (!ended) child.kill("SIGKILL");
    await child.status;
    await reading;
  };
  try {
    if (options.script !== undefined) {
      const file = new URL(`../servers/${options.script}`, import.meta.url);
      await (await Deno.open(file)).readable.pipeTo(child.stdin);
    }
    const until = Date.now() + START_MS_MAX;
    while (!await takesConnections(port)) {
      assert.ok(!ended && Date.now() < until, `${options.command} does not start:\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    output: () => output,
    [Symbol.asyncDispose]: stop,
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function takesConnections(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
