/**
 * The shared store: PostgreSQL 15 or later, for any number of replicas.
 *
 * The server's configuration decides how durable an acknowledged write is (a synchronous standby
 * keeps two copies). Counters use connections with `synchronous_commit = off`: they are always
 * exact, but a crash of the server may lose their last second.
 */
import postgres from "postgres";
import { checkKey } from "../change_rules.ts";
import { getDocument, listDocuments, putDocuments } from "./documents.ts";
import { postgresError } from "./error.ts";
import { appendEntries, listLogs, readHead, scanEntries, trimRows } from "./log.ts";
import { POSTGRES_SCHEMA } from "./schema.ts";
import type { StorePool, StoreSql } from "./sql.ts";
import { FencedError, type Store } from "../store.ts";
import { createTopicBus } from "../topic_bus.ts";

const CONNECTIONS_MAX = 16;
const COUNTER_CONNECTIONS_MAX = 4;
const CONNECT_TIMEOUT_SECONDS = 10;
const CLOSE_TIMEOUT_SECONDS = 5;
/** Tries to create one table or index again. */
const CREATE_RETRIES_MAX = 5;
const CHANNEL = "toolgate";
/** The server's limit for one notification, with room. */
const NOTIFICATION_BYTES_MAX = 7_900;

/**
 * @param url `postgres://user@host1,host2/database`
 * @throws {GateError} `ERR_STORE`
 */
export async function openPostgresStore(
  url: string,
  now: () => number = Date.now,
): Promise<Store> {
  const options = {
    onnotice: () => {},
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    max_lifetime: null,
    target_session_attrs: "read-write" as const,
    // Times and numbers of entries are whole numbers below 2^53.
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
  };
  const sql: StorePool = postgres(url, { ...options, max: CONNECTIONS_MAX });
  const counters: StorePool = postgres(url, {
    ...options,
    max: COUNTER_CONNECTIONS_MAX,
    connection: { synchronous_commit: "off" },
  });
  try {
    await createTables(sql);
  } catch (error) {
    await Promise.all([sql.end({ timeout: 0 }), counters.end({ timeout: 0 })]);
    throw postgresError("open", error);
  }
  const bus = createTopicBus();
  let listening: Promise<unknown> | null = null;
  const read = <T>(run: () => Promise<T>) => withErrors("read", run);
  const write = <T>(run: () => Promise<T>) => withErrors("write", run);
  return {
    kind: "postgres",
    get: (key) => read(() => getDocument(sql, key, now())),
    list: (prefix, { after, limit = 1_000 } = {}) =>
      read(() => listDocuments(sql, prefix, { after, limit, now: now() })),
    put: (changes) => write(() => putDocuments(sql, changes, now())),
    add: (key, by, { max = Infinity, ttlMs } = {}) =>
      write(() => addToCounter(counters, { key, by, max, ttlMs, now: now() })),
    append: (entries, beside = []) => write(() => appendEntries(sql, entries, beside, now())),
    scan: (query) => read(() => scanEntries(sql, query)),
    head: (log) => read(() => readHead(sql, log)),
    logs: () => read(() => listLogs(sql)),
    trim: (beforeTs, { log } = {}) => write(() => trimRows(sql, beforeTs, log, now())),
    // Labels are columns of the entries' own table, so nothing is derived.
    check: () => Promise.resolve([]),
    notify: (topic, message) =>
      write(async () => {
        const payload = JSON.stringify([topic, message]);
        if (Buffer.byteLength(payload) > NOTIFICATION_BYTES_MAX) {
          throw new RangeError(`Cannot notify of more than ${NOTIFICATION_BYTES_MAX} bytes`);
        }
        await sql.notify(CHANNEL, payload);
      }),
    async subscribe(topic, listener) {
      listening ??= sql.listen(CHANNEL, (payload) => {
        const [of, message] = JSON.parse(payload) as [string, string];
        bus.notify(of, message);
      });
      await read(() => listening as Promise<unknown>);
      const stop = bus.subscribe(topic, listener);
      return () => Promise.resolve(stop());
    },
    fault: () => null,
    async close() {
      const options = { timeout: CLOSE_TIMEOUT_SECONDS };
      await Promise.all([sql.end(options), counters.end(options)]);
    },
  };
}

async function createTables(sql: StoreSql): Promise<void> {
  for (const statement of POSTGRES_SCHEMA) await createOnce(sql, statement);
}

/**
 * Replicas that start together race to create each table and index. The loser gets an error once
 * the winner has committed; its next try finds the table or index.
 */
async function createOnce(sql: StoreSql, statement: string): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      await sql.unsafe(statement);
      return;
    } catch (error) {
      if (attempt >= CREATE_RETRIES_MAX || !isRace(error)) throw error;
    }
  }
}

/** Whether another replica created the object first: `create … if not exists` is not atomic. */
function isRace(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : "";
  return code === "23505" || code === "42P07" || code === "42710";
}

async function addToCounter(
  sql: StoreSql,
  request: { key: string; by: number; max: number; ttlMs: number | undefined; now: number },
): Promise<{ ok: boolean; value: number }> {
  const { key, by, ttlMs, now } = request;
  checkKey(key);
  const max = Math.min(request.max, Number.MAX_VALUE);
  const expiresAt = ttlMs === undefined ? null : Math.ceil(now + ttlMs);
  const [row] = await sql<{ value: number }[]>`
    insert into tg_counter as c (key, value, expires_at)
    select ${key}, ${by}::float8, ${expiresAt}::bigint
    where ${by}::float8 <= ${max}::float8 or exists (select 1 from tg_counter where key = ${key})
    on conflict (key) do update set
      value = case when c.expires_at <= ${now} then ${by}::float8 else c.value + ${by}::float8 end,
      expires_at = case when c.expires_at <= ${now} then ${expiresAt}::bigint else c.expires_at end
    where case when c.expires_at <= ${now} then ${by}::float8 else c.value + ${by}::float8 end
      <= ${max}::float8
    returning value`;
  if (row !== undefined) return { ok: true, value: row.value };
  const [current] = await sql<{ value: number }[]>`
    select value from tg_counter
    where key = ${key} and (expires_at is null or expires_at > ${now})`;
  return { ok: false, value: current?.value ?? 0 };
}

async function withErrors<T>(action: "read" | "write", run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof FencedError ? error : postgresError(action, error);
  }
}
