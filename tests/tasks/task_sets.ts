import { readFile } from "node:fs/promises";
import type { RecordedCall, RecordedTool } from "./recorded_tools.ts";

/** A public benchmark: tasks that people wrote for agents, with the calls that solve them. */
export interface TaskSet {
  readonly name: string;
  readonly servers: { readonly [name: string]: readonly RecordedTool[] };
  readonly tasks: readonly RecordedTask[];
}

export interface RecordedTask {
  readonly id: string;
  readonly calls: readonly RecordedCall[];
}

interface TauBench {
  readonly servers: TaskSet["servers"];
  readonly tasks: readonly {
    readonly id: string;
    readonly server: string;
    readonly calls: readonly Omit<RecordedCall, "server">[];
  }[];
}

interface WorkBench {
  readonly servers: TaskSet["servers"];
  readonly tasks: readonly {
    readonly id: string;
    readonly calls: readonly Omit<RecordedCall, "server">[];
  }[];
}

/** Retail and airline tasks of tau-bench (MIT). */
export async function readTauBench(folder: string): Promise<TaskSet> {
  const { servers, tasks } = await readJson<TauBench>(`${folder}/tau-bench/tasks.json`);
  return {
    name: "tau-bench",
    servers,
    tasks: tasks.map(({ id, server, calls }) => ({
      id,
      calls: calls.map((call) => ({ ...call, server })),
    })),
  };
}

/** Office tasks of WorkBench (MIT), over six servers. */
export async function readWorkBench(folder: string): Promise<TaskSet> {
  const { servers, tasks } = await readJson<WorkBench>(`${folder}/workbench/workbench.json`);
  return {
    name: "WorkBench",
    servers,
    tasks: tasks.map(({ id, calls }) => ({
      id,
      calls: calls.map((call) => {
        const [server = "", tool = ""] = call.tool.split(".");
        return { ...call, server, tool };
      }),
    })),
  };
}

/** Function schemas of BFCL v4, each with a call of its own (Apache-2.0). */
export interface SchemaSet {
  readonly tools: readonly RecordedTool[];
  readonly calls: readonly {
    readonly id: string;
    readonly tool: string;
    readonly args: { readonly [name: string]: unknown };
  }[];
}

export async function readBfcl(folder: string): Promise<SchemaSet> {
  return await readJson<SchemaSet>(`${folder}/bfcl/tools.json`);
}

async function readJson<Value>(path: string): Promise<Value> {
  return JSON.parse(await readFile(path, "utf8"));
}
