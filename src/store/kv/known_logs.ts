import { readKv } from "./commit.ts";
import { loadLogState, type LogHead, type LogState, newLogState } from "./log_state.ts";

/** The state of each log in the single writer's memory, loaded at the first use. */
export interface KnownLogs {
  /** null for a log that does not exist. */
  stateOf(log: string): Promise<LogState | null>;
  /** The state of a log, or a new state if the log is not stored yet. */
  stateOrNew(log: string): Promise<LogState>;
  /** Call after the first commit of a new log. */
  remember(state: LogState): void;
  /** Call after a commit with an unknown outcome: the next use reads the state again. */
  forget(log: string): void;
}

export function createKnownLogs(kv: Deno.Kv): KnownLogs {
  const states = new Map<string, Promise<LogState | null>>();

  function stateOf(log: string): Promise<LogState | null> {
    const known = states.get(log);
    if (known !== undefined) return known;
    const loading = loadLogState(kv, log);
    states.set(log, loading);
    // Do not cache failed reads, or missing logs, which may be created later.
    loading.then((state) => state === null && states.delete(log), () => states.delete(log));
    return loading;
  }

  return {
    stateOf,
    async stateOrNew(log) {
      const known = await stateOf(log);
      if (known !== null) return known;
      const used = (await listLogHeads(kv)).map(({ head }) => head.ordinal);
      return newLogState(log, Math.max(-1, ...used) + 1);
    },
    remember: (state) => void states.set(state.log, Promise.resolve(state)),
    forget: (log) => void states.delete(log),
  };
}

/** Every log with its head, read from the file. */
export async function listLogHeads(kv: Deno.Kv): Promise<{ log: string; head: LogHead }[]> {
  return await readKv(async () => {
    const found: { log: string; head: LogHead }[] = [];
    for await (const { key, value } of kv.list<LogHead>({ prefix: ["g"] })) {
      found.push({ log: key[1] as string, head: value });
    }
    return found;
  });
}
