import type { StoreSql } from "./sql.ts";
import { checkEntries } from "../change_rules.ts";
import { postgresCode } from "./error.ts";
import { textOf } from "./documents.ts";
import { formatCursor, parseCursor } from "../scan_cursor.ts";
import {
  type Change,
  FencedError,
  type LogEntry,
  type ScanPage,
  type ScanQuery,
} from "../store.ts";

const TRIM_ROWS = 5_000;
const UNIQUE_VIOLATION = "23505";

type Row = { readonly [column in keyof Required<LogEntry>]: Required<LogEntry>[column] };

/** Appends with one statement, so one round trip and one commit: stores all or nothing. */
export async function appendEntries(
  sql: StoreSql,
  entries: readonly LogEntry[],
  beside: readonly Change[],
  now: number,
): Promise<void> {
  checkEntries(entries, beside);
  const first = entries[0] as LogEntry;
  const last = entries.at(-1) as LogEntry;
  const column = <T>(read: (entry: LogEntry) => T) => entries.map(read);
  const written = beside.filter(({ value }) => value !== null);
  const deleted = beside.filter(({ value }) => value === null).map(({ key }) => key);
  const revision = crypto.randomUUID();
  const head = first.seq === 0
    ? sql`insert into tg_log_head (log, next, ts) values (${first.log}, ${last.seq + 1}, ${last.ts})
        on conflict do nothing returning 1`
    : sql`update tg_log_head set next = ${last.seq + 1}, ts = ${last.ts}
        where log = ${first.log} and next = ${first.seq} and ts <= ${first.ts} returning 1`;
  let moved: number;
  try {
    const [row] = await sql<{ moved: number }[]>`
      with head as (${head}),
      rows as (
        insert into tg_log (log, seq, ts, principal, tool, execution, kind, effect, body)
        select ${first.log}, u.* from unnest(
          ${column(({ seq }) => seq)}::bigint[], ${column(({ ts }) => ts)}::bigint[],
          ${column(({ principal }) => principal)}::text[], ${column(({ tool }) => tool)}::text[],
          ${column(({ execution }) => execution)}::text[],
          ${column(({ kind = "" }) => kind)}::text[],
          ${column(({ effect = "" }) => effect)}::text[], ${column(({ body }) => body)}::text[]
        ) as u where exists (select 1 from head)
      ),
      written as (
        insert into tg_document (key, value, revision, expires_at)
        select u.key, u.value, ${revision}, u.expires_at from unnest(
          ${written.map(({ key }) => key)}::text[],
          ${written.map(({ key, value }) => textOf(key, value))}::text[],
          ${
      written.map(({ ttlMs }) => ttlMs === undefined ? null : Math.ceil(now + ttlMs))
    }::bigint[]
        ) as u(key, value, expires_at) where exists (select 1 from head)
        on conflict (key) do update set value = excluded.value,
          revision = excluded.revision, expires_at = excluded.expires_at
      ),
      deleted as (
        delete from tg_document
        where key = any(${deleted}::text[]) and exists (select 1 from head)
      )
      select count(*)::int as moved from head`;
    moved = row?.moved ?? 0;
  } catch (error) {
    if (postgresCode(error) === UNIQUE_VIOLATION) moved = 0;
    else throw error;
  }
  if (moved === 1) return;
  const [current] = await sql<{ next: number; ts: number }[]>`
    select next, ts from tg_log_head where log = ${first.log}`;
  if (current !== undefined && current.next === first.seq) {
    throw new RangeError(`Cannot append entry ${first.seq} of "${first.log}": its time goes back`);
  }
  throw new FencedError(`Cannot append entry ${first.seq} to "${first.log}": not the next`);
}

export async function scanEntries(sql: StoreSql, query: ScanQuery): Promise<ScanPage> {
  const { log, principal, tool, toolPattern, execution, kind, effect, from, to, beforeSeq } = query;
  const { limit = 100 } = query;
  const place = query.after === undefined ? null : parseCursor(query.after);
  const rows = await sql<Row[]>`
    select log, seq, ts, principal, tool, execution, kind, effect, body from tg_log
    where true
    ${log === undefined ? sql`` : sql`and log = ${log}`}
    ${principal === undefined ? sql`` : sql`and principal = ${principal}`}
    ${tool === undefined ? sql`` : sql`and tool = ${tool}`}
    ${toolPattern === undefined ? sql`` : sql`and tool <> '' and tool like ${toLike(toolPattern)}`}
    ${execution === undefined ? sql`` : sql`and execution = ${execution}`}
    ${kind === undefined ? sql`` : sql`and kind = ${kind}`}
    ${effect === undefined ? sql`` : sql`and effect = ${effect}`}
    ${from === undefined ? sql`` : sql`and ts >= ${Math.ceil(from)}`}
    ${to === undefined ? sql`` : sql`and ts < ${Math.ceil(to)}`}
    ${beforeSeq === undefined ? sql`` : sql`and seq < ${beforeSeq}`}
    ${
    place === null
      ? sql``
      : log === undefined
      ? sql`and (ts, log, seq) < (${place.ts}, ${place.log} collate "C", ${place.seq})`
      : sql`and seq < ${place.seq}`
  }
    order by ${log === undefined ? sql`ts desc, log desc, seq desc` : sql`seq desc`}
    limit ${limit + 1}`;
  const entries = rows.slice(0, limit).map(toEntry);
  const last = entries.at(-1);
  return rows.length > limit && last !== undefined
    ? { entries, next: formatCursor(last) }
    : { entries };
}

export async function readHead(sql: StoreSql, log: string): Promise<LogEntry | null> {
  const [row] = await sql<Row[]>`
    select e.log, e.seq, e.ts, principal, tool, execution, kind, effect, body
    from tg_log_head h join tg_log e on e.log = h.log and e.seq = h.next - 1
    where h.log = ${log}`;
  return row === undefined ? null : toEntry(row);
}

export async function listLogs(sql: StoreSql): Promise<string[]> {
  const rows = await sql<{ log: string }[]>`select log from tg_log_head order by log`;
  return rows.map(({ log }) => log);
}

/** Removes old entries, then expired rows, a few thousand rows at a time. */
export async function trimRows(
  sql: StoreSql,
  beforeTs: number,
  only: string | undefined,
  now: number,
): Promise<number> {
  let removed = 0;
  for (;;) {
    const result = await sql`
      delete from tg_log where (log, seq) in (
        select e.log, e.seq from tg_log e join tg_log_head h on h.log = e.log
        where e.ts < ${beforeTs} and e.seq < h.next - 1
        ${only === undefined ? sql`` : sql`and e.log = ${only}`}
        limit ${TRIM_ROWS}
      )`;
    removed += result.count;
    if (result.count < TRIM_ROWS) break;
  }
  for (const table of ["tg_document", "tg_counter"]) {
    for (;;) {
      const result = await sql`
        delete from ${sql(table)} where key in (
          select key from ${sql(table)} where expires_at <= ${now} limit ${TRIM_ROWS}
        ) and expires_at <= ${now}`;
      if (result.count < TRIM_ROWS) break;
    }
  }
  return removed;
}

function toEntry(row: Row): LogEntry {
  const { log, seq, ts, principal, tool, execution, kind, effect, body } = row;
  return {
    log,
    seq,
    ts,
    principal,
    tool,
    execution,
    ...(kind === "" ? {} : { kind }),
    ...(effect === "" ? {} : { effect }),
    body,
  };
}

function toLike(pattern: string): string {
  return pattern.replaceAll(/[\\%_]/g, "\\$&").replaceAll("*", "%").replaceAll("?", "_");
}
