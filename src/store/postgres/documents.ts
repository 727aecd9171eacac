import type { Json } from "../../model/json/json.ts";
import { checkChanges, checkKey, checkValueBytes } from "../change_rules.ts";
import { postgresCode } from "./error.ts";
import type { Change, StoredEntry } from "../store.ts";
import type { StorePool, StoreSql } from "./sql.ts";

/** A serialization failure or a deadlock: another writer was first. */
const LOST_RACES: ReadonlySet<string> = new Set(["40001", "40P01"]);

interface Row {
  readonly key: string;
  readonly value: string;
  readonly revision: string;
}

class ExpectationFailed extends Error {}

export async function getDocument(
  sql: StoreSql,
  key: string,
  now: number,
): Promise<StoredEntry | null> {
  checkKey(key);
  const [row] = await sql<Row[]>`
    select key, value, revision from tg_document
    where key = ${key} and (expires_at is null or expires_at > ${now})`;
  return row === undefined ? null : toEntry(row);
}

export async function listDocuments(
  sql: StoreSql,
  prefix: string,
  options: { after: string | undefined; limit: number; now: number },
): Promise<StoredEntry[]> {
  const { after = "", limit, now } = options;
  // Keys are printable ASCII, so every key with the prefix sorts before the prefix plus DEL.
  const rows = await sql<Row[]>`
    select key, value, revision from tg_document
    where key >= ${prefix} and key < ${`${prefix}\x7f`} and key > ${after}
      and (expires_at is null or expires_at > ${now})
    order by key limit ${limit}`;
  return rows.map(toEntry);
}

/** @returns null when an expectation failed. */
export async function putDocuments(
  sql: StorePool,
  changes: readonly Change[],
  now: number,
): Promise<string | null> {
  checkChanges(changes);
  const revision = crypto.randomUUID();
  // All writers lock in the same order, which avoids deadlocks.
  const ordered = changes.toSorted((a, b) => a.key < b.key ? -1 : 1);
  try {
    await sql.begin(async (transaction) => {
      for (const change of ordered) {
        const count = await putDocument(transaction, change, revision, now);
        if (change.expect !== undefined && count !== 1) throw new ExpectationFailed();
      }
    });
    return revision;
  } catch (error) {
    if (error instanceof ExpectationFailed || LOST_RACES.has(postgresCode(error))) return null;
    throw error;
  }
}

/** @returns the number of changed rows */
async function putDocument(
  sql: StoreSql,
  change: Change,
  revision: string,
  now: number,
): Promise<number> {
  const { key, value, expect, ttlMs } = change;
  if (value === null) {
    if (expect === null) {
      const [row] = await sql`
        select 1 from tg_document where key = ${key} and (expires_at is null or expires_at > ${now})`;
      return row === undefined ? 1 : 0;
    }
    const result = await sql`
      delete from tg_document where key = ${key} ${
      expect === undefined ? sql`` : sql`
        and revision = ${expect} and (expires_at is null or expires_at > ${now})`
    }`;
    return result.count;
  }
  const text = textOf(key, value);
  const expiresAt = ttlMs === undefined ? null : Math.ceil(now + ttlMs);
  if (typeof expect === "string") {
    const result = await sql`
      update tg_document set value = ${text}, revision = ${revision}, expires_at = ${expiresAt}
      where key = ${key} and revision = ${expect} and (expires_at is null or expires_at > ${now})`;
    return result.count;
  }
  const result = await sql`
    insert into tg_document as d (key, value, revision, expires_at)
    values (${key}, ${text}, ${revision}, ${expiresAt})
    on conflict (key) do update
      set value = excluded.value, revision = excluded.revision, expires_at = excluded.expires_at
      ${expect === null ? sql`where d.expires_at <= ${now}` : sql``}`;
  return result.count;
}

export function textOf(key: string, value: Json): string {
  const text = JSON.stringify(value);
  checkValueBytes(key, text.length);
  return text;
}

function toEntry({ key, value, revision }: Row): StoredEntry {
  return { key, value: JSON.parse(value), revision };
}
