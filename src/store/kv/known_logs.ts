import { readKv } from "./commit.ts";
import { loadLogState, type LogHead, type LogState, newLogState } from "./log_state.ts";

/** The logs of a file, each with what its single writer knows of it; loaded at the first use. */
export interface KnownLogs {
  /** null for a log that does not exist. */
  stateOf(log: string): Promise<LogState | null>;
  /** The state of a log, or the one of a log that is not stored yet. */
  stateOrNew(log: string): Promise<LogState>;
  /** A new log is stored now. */
  remember(state: LogState): void;
  /** Nobody knows what was written: the state is read again at its next use. */
  forget(log: string): void;
}

export function createKnownLogs(kv: Deno.Kv): KnownLogs {
  const states = new Map<string, Promise<LogState | null>>();

  function stateOf(log: string): Promise<LogState | null> {
    const known = states.get(log);
    if (known !== undefined) return known;
    const loading = loadLogState(kv, log);
    states.set(log, loading);
    // What could not be read is read again next time; a log that is not there may be made.
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

/** Every log with its head as it is in the file. */
export async function listLogHeads(kv: Deno.Kv): Promise<{ log: string; head: LogHead }[]> {
  return await readKv(async () => {
    const found: { log: string; head: LogHead }[] = [];
    for await (const { key, value } of kv.list<LogHead>({ prefix: ["g"] })) {
      found.push({ log: key[1] as string, head: value });
    }
    return found;
  });
}
