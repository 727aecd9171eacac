/**
 * The audit log: what was asked, decided and done. Verification finds later changes.
 *
 * Each replica writes one hash chain. Every batch carries a signed note over its newest record.
 * Regular checkpoint records hold such a note too, and anchors keep it outside the store.
 */
import type { Config } from "../config/schema.ts";
import { GateError } from "../model/errors.ts";
import type { AuditActor, AuditEvent, AuditRecord } from "../model/event.ts";
import type { Store } from "../store/store.ts";
import { type AuditFilter, type AuditPage, queryAudit } from "./audit_query.ts";
import { type Anchors, type AnchorStatus, openAnchors, readAnchorFile } from "./chain/anchors.ts";
import {
  type AuditKeys,
  createAuditKeys,
  followPayloadKeys,
  loadAuditKeys,
} from "./chain/audit_keys.ts";
import type { CheckpointSigner } from "./chain/checkpoint.ts";
import { type AuditPayloads, plainPayloads } from "./payloads/payload_box.ts";
import { createPayloadStore, type PayloadStore } from "./payloads/payload_store.ts";
import { createSealer, type Sealer } from "./payloads/sealer.ts";
import { readRecords } from "./read_records.ts";
import { firstUnshipped } from "./ship/place.ts";
import { type AuditReport, verifyAudit } from "./verify/verify_audit.ts";
import { type AppendInOrder, createAppendInOrder } from "./write/append_in_order.ts";
import { type AuditHealth, ChainWriter } from "./write/chain_writer.ts";
import { AUDIT_LIMITS, type AuditLimits, type Urgency } from "./write/queue.ts";
import { recoverChain } from "./write/recover_chain.ts";
import { trimAudit } from "./write/retention.ts";
import { startTrimSchedule, type TrimSchedule } from "./write/trim_schedule.ts";

const DAY_MS = 86_400_000;

export interface AuditLog {
  /** The chain this log writes. */
  readonly chain: string;
  /** The public key of the checkpoints; a verifier needs it. */
  readonly verifierKey: string;
  /**
   * Adds a record; resolves when it is durable.
   *
   * @param payloads kept encrypted beside the chain; the record gets their commits and sizes.
   * @param urgency `soon` if no caller waits for the record: it shares a commit with the next ones.
   * @throws {GateError} `ERR_AUDIT_UNAVAILABLE`: the announced action must not happen.
   */
  append(event: AuditEvent, payloads?: AuditPayloads, urgency?: Urgency): Promise<AuditRecord>;
  /** Newest first. */
  query(filter: AuditFilter): Promise<AuditPage>;
  /** All matching records, oldest first; `limit` and `after` do not apply. */
  records(filter?: AuditFilter): AsyncIterable<AuditRecord>;
  /** null when the payloads were never kept, have expired or were erased. */
  payloads(record: AuditRecord): Promise<AuditPayloads | null>;
  /** Removes a record's payloads for good and records the removal. */
  erase(record: AuditRecord, actor: AuditEvent["actor"]): Promise<boolean>;
  /** Calls back for every record once it is durable, in order. */
  follow(listener: (record: AuditRecord) => void): () => void;
  /** Writes a checkpoint over all records before it. */
  checkpoint(): Promise<AuditRecord>;
  /** Writes a checkpoint unless the newest record is one; resolves to the number of records. */
  ensureCheckpoint(): Promise<number>;
  /** Checks every chain of the store; the log keeps writing. */
  verify(options?: VerifyOptions): Promise<AuditReport>;
  /** Removes records older than the retention, also every hour; resolves to their number. */
  trim(): Promise<number>;
  health(): AuditHealth;
  /** Signs text with the key of the checkpoints. */
  signNote(text: string): string;
  /** Encrypts with the payload keys, also if the log keeps no payloads. */
  readonly sealer: Sealer;
  /** Places outside the store that remember checkpoints. */
  anchors(): AnchorStatus[];
  /** Writes the queued records and a last checkpoint. */
  close(): Promise<void>;
}

export interface VerifyOptions {
  /** More public keys that may have signed: of other replicas, or older ones. */
  readonly verifierKeys?: readonly string[];
  /** Notes kept outside the store. */
  readonly anchors?: readonly string[];
  /** Whether to open and compare every payload too; default true. */
  readonly payloads?: boolean;
}

export interface AuditLogOptions {
  readonly store: Store;
  /** A name for this replica's chain; no two processes may write one chain. */
  readonly chain: string;
  /** Its paths are absolute. */
  readonly config: Config["audit"];
  /** Path of the key files (`<path>.signing.pem` …); null: keys of this process only. */
  readonly keysPath?: string | null;
  /** The keys themselves, instead of files. */
  readonly keys?: AuditKeys;
  /** The first record of a chain that trimming must keep; default: the first that a sink lacks. */
  readonly neededFrom?: (chain: string) => Promise<number>;
  readonly now?: () => number;
  readonly log?: (message: string) => void;
  readonly limits?: Partial<AuditLimits>;
  /** Called for each record with an actor, with the bytes it takes in the store. */
  readonly onKept?: (actor: AuditActor, bytes: number) => void;
}

/** The parts of an open log. */
interface LogParts {
  readonly options: AuditLogOptions;
  readonly keys: AuditKeys;
  readonly payloadKeys: ReturnType<typeof followPayloadKeys>;
  readonly payloadStore: PayloadStore;
  readonly anchors: Anchors;
  readonly writer: ChainWriter;
  readonly append: AppendInOrder;
  readonly trimming: TrimSchedule;
}

/** Opens the chain where it ended; calls that a crash left open get the outcome `unknown`. */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { store, chain, config, now = Date.now, log = () => {} } = options;
  const keys = await keysOf(options);
  const recovered = await recoverChain({
    store,
    chain,
    verifierKey: keys.signer.verifierKey,
    anchors: await readAnchors(options),
  });
  if (recovered.tampered !== null) {
    log(`audit: the stored chain was changed: ${recovered.tampered}`);
  }
  const limits = { ...AUDIT_LIMITS, ...options.limits };
  const payloadKeys = followPayloadKeys(keys, log);
  const retentionMs = config.payloadRetentionDays * DAY_MS;
  const { current } = payloadKeys;
  const payloadStore = createPayloadStore({ store, chain, keys: current, retentionMs, now });
  const anchors = openAnchors({ targets: anchorTargetsOf(options), log });
  const { signer } = keys;
  const writerDeps = { store, signer, config, payloadStore, anchors, limits, now, log };
  const writer = new ChainWriter(writerDeps, recovered);
  const keepsPayloads = config.payloads !== "off";
  const { onKept } = options;
  const append = createAppendInOrder({ writer, payloadStore, keepsPayloads, onKept, log });
  const trimming = startTrimSchedule({
    trim: () => trimLog(options, signer, now),
    firstTrimMs: limits.firstTrimMs,
    trimEveryMs: limits.trimEveryMs,
    onError: (error) => log(`audit: ${error instanceof Error ? error.message : String(error)}`),
  });
  const parts = { options, keys, payloadKeys, payloadStore, anchors, writer, append, trimming };
  try {
    for (const event of recovered.unfinished) await writer.append(event);
  } catch (error) {
    await closeLog(parts);
    throw error;
  }
  return logOf(parts);
}

function logOf(parts: LogParts): AuditLog {
  const { options, keys, payloadKeys, payloadStore, anchors, writer, append, trimming } = parts;
  const { store, chain } = options;
  return {
    chain,
    verifierKey: keys.signer.verifierKey,
    append,
    query: (filter) => queryAudit(store, filter),
    records: (filter) => readRecords(store, filter),
    async payloads(record) {
      const found = await payloadStore.find(record);
      return found.state === "found" ? plainPayloads(found.payloads) : null;
    },
    async erase(record, actor) {
      const detail = { type: "audit.erase", chain: record.chain, seq: record.seq };
      await append({ kind: "admin", detail, ...(actor ? { actor } : {}) });
      return await payloadStore.erase(record);
    },
    follow: (listener) => writer.follow(listener),
    checkpoint: () => writer.checkpoint(),
    ensureCheckpoint: () => writer.ensureCheckpoint(),
    verify: (verifying) => verifyLog(parts, verifying),
    trim: trimming.trim,
    health: () => writer.health(),
    anchors: () => anchors.status(),
    signNote: keys.signer.signNote,
    sealer: createSealer(payloadKeys.current),
    close: () => closeLog(parts),
  };
}

async function verifyLog(
  { options, keys, payloadStore, writer }: LogParts,
  { verifierKeys = [], anchors = [], payloads = true }: VerifyOptions = {},
): Promise<AuditReport> {
  const { store, chain, config, now = Date.now } = options;
  // Read this state first: records written during the check come after it.
  const { size, head } = writer.state;
  const retentionMs = config.payloadRetentionDays * DAY_MS;
  return await verifyAudit({
    store,
    verifierKeys: [keys.signer.verifierKey, ...verifierKeys],
    anchors: [...await readAnchors(options), ...anchors],
    live: { chain, size, head },
    payloads: payloads ? { store: payloadStore, retentionMs } : null,
    now,
  });
}

async function trimLog(
  { store, chain, config, neededFrom }: AuditLogOptions,
  signer: CheckpointSigner,
  now: () => number,
): Promise<number> {
  return await trimAudit({
    store,
    signer,
    now,
    retentionMs: config.retentionDays * DAY_MS,
    neededFrom: neededFrom ?? ((chain) => firstUnshipped(store, config.ship, chain)),
  }, chain);
}

async function closeLog({ trimming, payloadKeys, writer, anchors }: LogParts): Promise<void> {
  await Promise.all([trimming.close(), payloadKeys.close()]);
  await writer.close();
  await anchors.close();
}

/** One anchor lies beside the key files: access to the store alone is not enough to change it. */
function anchorTargetsOf(options: AuditLogOptions): string[] {
  const keysPath = keysPathOf(options);
  const own = keysPath === null ? [] : [`${keysPath}.checkpoints`];
  return [...own, ...options.config.anchors];
}

/** The notes that the anchors on this machine remember. */
async function readAnchors(options: AuditLogOptions): Promise<string[]> {
  const files = anchorTargetsOf(options).filter((target) => !/^https?:/.test(target));
  return (await Promise.all(files.map(readAnchorFile))).flat();
}

/** @throws {GateError} `ERR_CONFIG` if replicas share a store but no key files are configured. */
async function keysOf(options: AuditLogOptions): Promise<AuditKeys> {
  if (options.keys !== undefined) return options.keys;
  const path = keysPathOf(options);
  if (path !== null) return await loadAuditKeys(path);
  if (options.store.kind !== "postgres") return createAuditKeys();
  throw new GateError("ERR_CONFIG", 'Cannot open the audit log: "audit.keys" is missing', {
    hint: "Name a path for the key files that every replica of this store can read.",
  });
}

function keysPathOf({ config, keysPath = null }: AuditLogOptions): string | null {
  return config.keys ?? keysPath;
}
