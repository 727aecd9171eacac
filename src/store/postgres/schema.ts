/**
 * Tables of the PostgreSQL backend: no extensions, sequences or advisory locks, so that
 * wire-compatible engines stay possible. Every statement may run again.
 */
export const POSTGRES_SCHEMA: readonly string[] = [
  `create table if not exists tg_document (
    key text collate "C" primary key,
    value text not null,
    revision text not null,
    expires_at bigint
  )`,
  `create index if not exists tg_document_expiry on tg_document (expires_at)
    where expires_at is not null`,
  `create table if not exists tg_counter (
    key text collate "C" primary key,
    value double precision not null,
    expires_at bigint
  )`,
  `create index if not exists tg_counter_expiry on tg_counter (expires_at)
    where expires_at is not null`,
  `create table if not exists tg_log_head (
    log text collate "C" primary key,
    next bigint not null,
    ts bigint not null
  )`,
  `create table if not exists tg_log (
    log text collate "C" not null,
    seq bigint not null,
    ts bigint not null,
    principal text not null,
    tool text not null,
    execution text not null,
    kind text not null,
    effect text not null,
    body text not null,
    primary key (log, seq)
  )`,
  `create index if not exists tg_log_time on tg_log (ts desc, log desc, seq desc)`,
  `create index if not exists tg_log_principal on tg_log (principal, ts desc)`,
  `create index if not exists tg_log_tool on tg_log (tool, ts desc)`,
  `create index if not exists tg_log_execution on tg_log (execution, ts desc)`,
  // Operators mostly search for rare entries: small indexes that most writes do not touch.
  `create index if not exists tg_log_effect on tg_log (effect, ts desc)
    where effect not in ('', 'allow')`,
  `create index if not exists tg_log_kind on tg_log (kind, ts desc)
    where kind not in ('call.intent', 'call.outcome', 'execution.start', 'execution.end', 'search')`,
];
