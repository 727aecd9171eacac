import type { App, CliDeps } from "../../src/cli/command.ts";
import { runCli } from "../../src/cli/main.ts";
import { systemDeps } from "../../src/cli/system_deps.ts";

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, in a folder of its own, and keeps what it prints. */
export async function runIn(
  folder: string,
  args: readonly string[],
  changes: Partial<CliDeps> = {},
): Promise<CliRun> {
  let stdout = "";
  let stderr = "";
  const code = await runCli(args, {
    ...systemDeps,
    env: () => undefined,
    cwd: () => folder,
    home: () => folder,
    stdout: (text) => stdout += text,
    stderr: (text) => stderr += text,
    outliveReaders: () => {},
    pipeToStdout: async (stream) => {
      stdout += await new Response(stream).text();
    },
    readStdin: () => Promise.resolve(""),
    onStopSignal: () => () => {},
    exit: (exitCode) => {
      throw new Error(`exit(${exitCode}) was not expected`);
    },
    ...changes,
  });
  return { code, stdout, stderr };
}

/** A folder that is removed afterwards. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-cli-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** An application that answers from a table of `METHOD /path` and remembers what it was asked. */
export function scriptedApp(answers: { readonly [request: string]: unknown }): {
  readonly createApp: CliDeps["createApp"];
  readonly asked: { request: string; query: string; body: unknown; token: string | null }[];
  readonly state: { closed: boolean };
} {
  const asked: { request: string; query: string; body: unknown; token: string | null }[] = [];
  const state = { closed: false };
  const app: App = {
    localToken: "local-token",
    noteStrayError: () => {},
    async fetch(request) {
      const url = new URL(request.url);
      const name = `${request.method} ${url.pathname.replace("/api/v1", "")}`;
      const text = await request.text();
      asked.push({
        request: name,
        query: url.search,
        body: text === "" ? null : JSON.parse(text),
        token: request.headers.get("authorization"),
      });
      const answer = answers[name];
      if (answer instanceof Response) return answer.clone();
      return answer === undefined
        ? Response.json({ code: "ERR_NOT_FOUND", title: "Nothing", hint: "Ask else" }, {
          status: 404,
        })
        : Response.json(answer);
    },
    listen: () => Promise.resolve({ url: "http://127.0.0.1:4000" }),
    close: () => {
      state.closed = true;
      return Promise.resolve();
    },
  };
  return { createApp: () => Promise.resolve(app), asked, state };
}
