import type { ISql, Sql } from "postgres";

/** Statements of this store, in a transaction or outside; `bigint` columns are read as numbers. */
export type StoreSql = ISql<{ bigint: number }>;

/** A pool of connections. */
export type StorePool = Sql<{ bigint: number }>;
