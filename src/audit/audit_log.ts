/**
 * The audit log: what was asked, decided and done, in an order that nobody can change unseen.
 *
 * Each replica writes one hash chain. Every batch carries a signed note over its newest record; every
 * so often a checkpoint record holds such a note too, and anchors remember it outside the store.
 */
import type { Config } from "../config/schema.ts";
import { GateError } from "../model/errors.ts";
import type { AuditActor, AuditEvent, AuditRecord } from "../model/event.ts";
import type { Store } from "../store/store.ts";
import { type AuditFilter, type AuditPage, queryAudit } from "./audit_query.ts";
import { type AnchorStatus, openAnchors, readAnchorFile } from "./chain/anchors.ts";
import {
  type AuditKeys,
  createAuditKeys,
  followPayloadKeys,
  loadAuditKeys,
} from "./chain/audit_keys.ts";
import {
  type AuditPayloads,
  commitLargePayloads,
  commitPayloads,
  plainPayloads,
} from "./payloads/payload_box.ts";
import { createPayloadStore, SHARED_CHARACTERS_MAX } from "./payloads/payload_store.ts";
import { createSealer, type Sealer } from "./payloads/sealer.ts";
import { readRecords } from "./read_records.ts";
import { firstUnshipped } from "./ship/place.ts";
import { type AuditReport, verifyAudit } from "./verify/verify_audit.ts";
import { createChainKeeper } from "./write/chain_keeper.ts";
import { keepPayloads, type KeptRecord } from "./write/keep_payloads.ts";
import { startAuditMaintenance } from "./write/maintenance.ts";
import { AUDIT_LIMITS, type AuditLimits, storedBytesOf, type Urgency } from "./write/queue.ts";
import { recoverChain } from "./write/recover_chain.ts";
import { trimAudit } from "./write/retention.ts";
import { type AuditHealth, AuditWriter } from "./write/writer.ts";

const DAY_MS = 86_400_000;

export interface AuditLog {
  /** The chain this log writes. */
  readonly chain: string;
  /** What a verifier needs: the public key of the checkpoints. */
  readonly verifierKey: string;
  /**
   * Adds a record; resolves when it is durable.
   *
   * @param payloads kept encrypted beside the chain; their commits and sizes are put into the record.
   * @param urgency `soon` for what nobody waits for yet: it shares a commit with what comes next.
   * @throws {GateError} `ERR_AUDIT_UNAVAILABLE`: what the record announces must not happen.
   */
  append(event: AuditEvent, payloads?: AuditPayloads, urgency?: Urgency): Promise<AuditRecord>;
  /** Newest first. */
  query(filter: AuditFilter): Promise<AuditPage>;
  /** Oldest first, all of them; `limit` and `after` do not apply. */
  records(filter?: AuditFilter): AsyncIterable<AuditRecord>;
  /** null when they were never kept, have expired or were erased. */
  payloads(record: AuditRecord): Promise<AuditPayloads | null>;
  /** Removes a record's payloads for good and records that. */
  erase(record: AuditRecord, actor: AuditEvent["actor"]): Promise<boolean>;
  /** Calls back for every record once it is durable, in order. */
  follow(listener: (record: AuditRecord) => void): () => void;
  /** Writes a checkpoint over everything before it. */
  checkpoint(): Promise<AuditRecord>;
  /** The same, unless the newest record is one. Answers how many records the chain then has. */
  ensureCheckpoint(): Promise<number>;
  /** Checks every chain of the store, while the log goes on. */
  verify(options?: {
    /** More public keys that may have signed: of other replicas, or of before. */
    verifierKeys?: readonly string[];
    /** Notes kept elsewhere. */
    anchors?: readonly string[];
    /** Whether every payload is opened and compared, too; true unless told. */
    payloads?: boolean;
  }): Promise<AuditReport>;
  /** Removes what is older than the retention; also done every hour. Answers how many records. */
  trim(): Promise<number>;
  health(): AuditHealth;
  /** Signs text with the key of the checkpoints. */
  signNote(text: string): string;
  /** Encrypts with the keys of the payloads, also where none are kept. */
  readonly sealer: Sealer;
  /** Places outside the store that remember checkpoints. */
  anchors(): AnchorStatus[];
  /** Writes what waits and a last checkpoint. */
  close(): Promise<void>;
}

export interface AuditLogOptions {
  readonly store: Store;
  /** A name for this replica's chain; no two processes may write one chain. */
  readonly chain: string;
  readonly config: Config["audit"];
  /** Where the key files lie (`<path>.signing.pem` …); null: keys of this process only. */
  readonly keysPath?: string | null;
  /** The keys themselves, instead of files. */
  readonly keys?: AuditKeys;
  /** The first record of a chain that must not be trimmed yet; default: what a sink has not got. */
  readonly neededFrom?: (chain: string) => Promise<number>;
  /** What relative paths of the configuration start from. */
  readonly baseDir?: string;
  readonly now?: () => number;
  readonly log?: (message: string) => void;
  readonly limits?: Partial<AuditLimits>;
  /** Hears what a record that names its actor takes in the store. */
  readonly onKept?: (actor: AuditActor, bytes: number) => void;
}

/** Opens the chain where it ended; calls that a crash left open get the outcome `unknown`. */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { store, chain, config, now = Date.now, log = () => {} } = options;
  const keys = await keysOf(options);
  const { verifierKey } = keys.signer;
  const anchorTargets = anchorsOf(options);
  const known = await readAnchors(anchorTargets);
  const recovered = await recoverChain({ store, chain, verifierKey, anchors: known });
  if (recovered.tampered !== null) {
    log(`audit: the stored chain was changed: ${recovered.tampered}`);
  }
  const retentionMs = config.payloadRetentionDays * DAY_MS;
  const payloadKeys = followPayloadKeys(keys, log);
  const payloadStore = createPayloadStore({ store, chain, keys: payloadKeys.current, retentionMs });
  const keeper = createChainKeeper({ keys, config, now, recovered });
  const anchors = openAnchors({ targets: anchorTargets, log });
  const followers = new Set<(record: AuditRecord) => void>();
  const limits = { ...AUDIT_LIMITS, ...options.limits };
  const writer = new AuditWriter({
    store,
    now,
    limits,
    leader: keeper.leader,
    trailer: keeper.trailer,
    beside(batch) {
      const box = payloadStore.pack(batch.payloads);
      return box === null ? keeper.beside(batch) : [...keeper.beside(batch), box];
    },
    written(batch) {
      const note = keeper.written(batch);
      if (note !== null) anchors.push(note);
      for (const { record } of batch.links) tell(followers, record, log);
      maintenance.written();
    },
    log,
  }, recovered.state);
  const checkpoint = () => writer.append({ kind: "checkpoint" });
  const needsCheckpoint = () => keeper.isCheckpointDue(writer.state) || writer.isBusy();
  const { neededFrom = (chain) => firstUnshipped(store, config.ship, chain) } = options;
  const trimDeps = {
    store,
    signer: keys.signer,
    now,
    retentionMs: config.retentionDays * DAY_MS,
    neededFrom,
  };
  const maintenance = startAuditMaintenance({
    isCheckpointDue: () => keeper.isCheckpointDue(writer.state),
    checkpoint,
    checkpointEveryMs: config.checkpointEveryMs,
    firstTrimMs: limits.firstTrimMs,
    trimEveryMs: limits.trimEveryMs,
    trim: () => trimAudit(trimDeps, chain),
    onError: logError(log),
  });

  /** The last record of an execution that waits for its large payload. */
  const delayed = new Map<string, Promise<unknown>>();

  async function append(
    event: AuditEvent,
    payloads?: AuditPayloads,
    urgency: Urgency = "now",
  ): Promise<AuditRecord> {
    const kept = keep(event, payloads);
    const { execution = "" } = event;
    const before = delayed.get(execution);
    if (before === undefined && !(kept instanceof Promise)) {
      charge(kept);
      return await writer.append(kept.event, kept.payloads, urgency);
    }
    const appending = Promise.all([kept, before]).then(([kept]) => {
      charge(kept);
      return { appended: writer.append(kept.event, kept.payloads, urgency) };
    });
    // Those that come behind wait until it has its place, not until it is durable.
    const placed = appending.then(({ appended }) => void appended.catch(() => {}), () => {});
    delayed.set(execution, placed);
    await placed;
    if (delayed.get(execution) === placed) delayed.delete(execution);
    return await (await appending).appended;
  }

  function charge({ event, payloads }: KeptRecord): void {
    if (event.actor !== undefined) options.onKept?.(event.actor, storedBytesOf(event, payloads));
  }

  function keep(
    event: AuditEvent,
    payloads: AuditPayloads | undefined,
  ): KeptRecord | Promise<KeptRecord> {
    if (payloads === undefined) return { event, payloads: null };
    const { args = "", result = "", code = "" } = payloads;
    const characters = args.length + result.length + code.length;
    if (characters > SHARED_CHARACTERS_MAX) return keepLarge(event, payloads);
    const committed = commitPayloads(event, payloads);
    if (config.payloads === "off") return { event: committed.event, payloads: null };
    return keepPayloads(payloadStore, committed, log);
  }

  async function keepLarge(event: AuditEvent, payloads: AuditPayloads): Promise<KeptRecord> {
    const committed = await commitLargePayloads(event, payloads);
    if (config.payloads === "off") return { event: committed.event, payloads: null };
    return await keepPayloads(payloadStore, committed, log);
  }

  async function close(): Promise<void> {
    await Promise.all([maintenance.close(), payloadKeys.close()]);
    // A store that is away must not keep the process from ending: the next start goes on from here.
    const last = needsCheckpoint() ? checkpoint().catch(logError(log)) : Promise.resolve();
    await writer.close();
    await last;
    await anchors.close();
  }

  try {
    for (const event of recovered.unfinished) await writer.append(event);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    chain,
    verifierKey,
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
    follow(listener) {
      followers.add(listener);
      return () => followers.delete(listener);
    },
    checkpoint,
    async ensureCheckpoint() {
      return needsCheckpoint() ? (await checkpoint()).seq + 1 : writer.state.size;
    },
    async verify({ verifierKeys = [], anchors = [], payloads = true } = {}) {
      // Taken first: whatever is written meanwhile comes behind it.
      const { size, head } = writer.state;
      return await verifyAudit({
        store,
        verifierKeys: [verifierKey, ...verifierKeys],
        anchors: [...await readAnchors(anchorTargets), ...anchors],
        live: { chain, size, head },
        payloads: payloads ? { store: payloadStore, retentionMs } : null,
        now,
      });
    },
    trim: maintenance.trim,
    health: () => writer.health(),
    anchors: () => anchors.status(),
    signNote: keys.signer.signNote,
    sealer: createSealer(payloadKeys.current),
    close,
  };
}

function tell(
  followers: ReadonlySet<(record: AuditRecord) => void>,
  record: AuditRecord,
  log: (message: string) => void,
): void {
  for (const follower of followers) {
    try {
      follower(record);
    } catch (error) {
      logError(log)(error); // the log goes on whatever a listener does
    }
  }
}

function logError(log: (message: string) => void): (error: unknown) => void {
  return (error) => log(`audit: ${error instanceof Error ? error.message : String(error)}`);
}

/** Beside the keys there is always one anchor: it is in no reach of who can only write the store. */
function anchorsOf(options: AuditLogOptions): string[] {
  const { baseDir = ".", config } = options;
  const keysPath = keysPathOf(options);
  const own = keysPath === null ? [] : [`${keysPath}.checkpoints`];
  const configured = config.anchors.map((target) =>
    /^https?:/.test(target) || target.startsWith("/") ? target : `${baseDir}/${target}`
  );
  return [...own, ...configured];
}

async function readAnchors(targets: readonly string[]): Promise<string[]> {
  const files = targets.filter((target) => !/^https?:/.test(target));
  return (await Promise.all(files.map(readAnchorFile))).flat();
}

/** @throws {GateError} `ERR_CONFIG` if replicas that share a store would not share keys. */
async function keysOf(options: AuditLogOptions): Promise<AuditKeys> {
  if (options.keys !== undefined) return options.keys;
  const path = keysPathOf(options);
  if (path !== null) return await loadAuditKeys(path);
  if (options.store.kind !== "postgres") return createAuditKeys();
  throw new GateError("ERR_CONFIG", 'Cannot open the audit log: "audit.keys" is missing', {
    hint: "Name a path for the key files that every replica of this store can read.",
  });
}

function keysPathOf({ config, keysPath = null, baseDir = "." }: AuditLogOptions): string | null {
  if (config.keys === undefined) return keysPath;
  return config.keys.startsWith("/") ? config.keys : `${baseDir}/${config.keys}`;
}
