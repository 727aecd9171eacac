/**
 * Writes one chain. The writer alone owns the queue, the chain's standing, commits, recovery from
 * failed commits, checkpoints, and the followers of durable records.
 *
 * One batch is in flight at a time; events appended meanwhile go into the next one. While the store
 * does not answer, the writer refuses announcements (an intent): the announced action must not
 * happen. The writer never drops a record of something that has happened (an outcome) while the
 * process lives: the record waits until the store is back. After a failed commit the newest stored
 * record shows what was written. The first record after a failure reports the failure.
 */
import type { AuditEvent, AuditRecord } from "../../model/event.ts";
import { startDeadline } from "../../model/time/deadline.ts";
import { withinMs } from "../../model/time/within_ms.ts";
import { FencedError, type LogEntry, type Store } from "../../store/store.ts";
import type { Anchors } from "../chain/anchors.ts";
import { type ChainLink, type ChainState, checkpointOf, followEntries } from "../chain/chain.ts";
import { normalizeEvent } from "../normalize_event.ts";
import { charactersOf, type KeptPayloads } from "../payloads/payload_box.ts";
import {
  type Batch,
  type BatchDeps,
  buildBatch,
  countStored,
  sideDocuments,
} from "./build_batch.ts";
import { type Callers, createCallers } from "./callers.ts";
import {
  type ChainStanding,
  endsWithCheckpoint,
  standAfter,
  standAtStart,
} from "./chain_standing.ts";
import {
  type AuditLimits,
  type AuditQueue,
  createAuditQueue,
  describeRefused,
  isAnnouncement,
  ownEvent,
  type Urgency,
  type Waiting,
} from "./queue.ts";
import type { RecoveredChain } from "./recover_chain.ts";
import { createTrouble, type Trouble } from "./trouble.ts";

export interface AuditHealth {
  readonly ok: boolean;
  /** Why appends are refused; null when they are not. */
  readonly reason: string | null;
}

export interface ChainWriterDeps extends Omit<BatchDeps, "tampered"> {
  readonly store: Pick<Store, "append" | "head">;
  readonly anchors: Pick<Anchors, "push">;
  readonly limits: AuditLimits;
  readonly log: (message: string) => void;
}

export class ChainWriter {
  readonly #deps: ChainWriterDeps & BatchDeps;
  readonly #queue: AuditQueue;
  readonly #trouble: Trouble;
  readonly #callers: Callers;
  readonly #followers = new Set<(record: AuditRecord) => void>();
  #standing: ChainStanding;
  #draining: Promise<void> | null = null;
  #isCommitting = false;
  #closing = false;
  /** A caller waits for an event in the queue, so the next commit must not be delayed. */
  #due = false;
  #linger: ReturnType<typeof setTimeout> | undefined;
  /** Runs while records wait for a checkpoint and nothing follows them. */
  #idle: ReturnType<typeof setTimeout> | undefined;
  #wake: (() => void) | null = null;

  constructor(deps: ChainWriterDeps, recovered: RecoveredChain) {
    this.#deps = { ...deps, tampered: recovered.tampered };
    this.#queue = createAuditQueue(deps.limits);
    this.#trouble = createTrouble(deps);
    this.#callers = createCallers({ ...deps, queue: this.#queue, trouble: this.#trouble });
    this.#standing = standAtStart(recovered, deps.now());
  }

  /** The durable state of the chain. */
  get state(): ChainState {
    return this.#standing.state;
  }

  health(): AuditHealth {
    const reason = this.#trouble.reason();
    return { ok: reason === null, reason };
  }

  /** Calls back for every record once it is durable, in order. */
  follow(listener: (record: AuditRecord) => void): () => void {
    this.#followers.add(listener);
    return () => this.#followers.delete(listener);
  }

  /**
   * Resolves when the record is durable. An event of kind `checkpoint` demands one.
   *
   * @throws {GateError} `ERR_AUDIT_UNAVAILABLE`
   */
  append(
    event: AuditEvent,
    payloads: KeptPayloads | null = null,
    urgency: Urgency = "now",
  ): Promise<AuditRecord> {
    const { promise, resolve, reject } = Promise.withResolvers<AuditRecord>();
    const waiting: Waiting = {
      event: normalizeEvent(event),
      ts: this.#deps.now(),
      payloads,
      characters: charactersOf(payloads),
      refused: false,
      own: false,
      resolve,
      reject,
    };
    const refusal = this.#refusal(waiting);
    if (refusal !== null) {
      this.#trouble.countRefused();
      return Promise.reject(this.#callers.unavailable(refusal));
    }
    this.#queue.push(waiting);
    if (urgency === "now") this.#flush();
    else this.#linger ??= setTimeout(() => this.#flush(), this.#deps.limits.lingerMs);
    return promise;
  }

  /** Writes a checkpoint over all records before it. */
  checkpoint(): Promise<AuditRecord> {
    return this.append({ kind: "checkpoint" });
  }

  /** Writes a checkpoint unless the newest record is one; resolves to the number of records. */
  async ensureCheckpoint(): Promise<number> {
    return this.#needsCheckpoint() ? (await this.checkpoint()).seq + 1 : this.state.size;
  }

  /** Writes the queue and a last checkpoint; waits at most `closePatienceMs` for the store. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    // A store that is away must not keep the process alive: the next start continues from here.
    const last = this.#needsCheckpoint()
      ? this.checkpoint().catch((error) => this.#logError(error))
      : Promise.resolve();
    this.#closing = true;
    this.#wake?.();
    this.#flush();
    await withinMs(this.#drained(), this.#deps.limits.closePatienceMs);
    this.#callers.reject(this.#queue.remove(() => true), "it was closed before the store answered");
    await last;
  }

  async #drained(): Promise<void> {
    while (this.#draining !== null) await this.#draining;
  }

  /** Whether there are, or will soon be, records after the last checkpoint. */
  #needsCheckpoint(): boolean {
    return this.#hasNewRecords() || this.#queue.length() > 0 || this.#isCommitting ||
      this.#trouble.isUnderWay();
  }

  /** Whether there are durable records after the last checkpoint. */
  #hasNewRecords(): boolean {
    return this.state.size > this.#standing.checkpointSize;
  }

  /** Why an event cannot wait in the queue; null if it can. */
  #refusal(waiting: Waiting): string | null {
    if (this.#closing) return "it is closed";
    if (this.#trouble.isFenced()) return this.#fencedReason();
    if (!isAnnouncement(waiting)) {
      return this.#queue.length() < this.#deps.limits.factsMax ? null : "its queue is full";
    }
    return this.#trouble.reason() ?? (this.#queue.isFull() ? "its queue is full" : null);
  }

  #flush(): void {
    clearTimeout(this.#linger);
    this.#linger = undefined;
    this.#due = this.#queue.length() > 0;
    this.#start();
  }

  #start(): void {
    if (this.#draining !== null) return;
    // All events appended in this turn of the event loop go into the first batch.
    this.#draining = Promise.resolve().then(() => this.#drain()).finally(() => {
      this.#draining = null;
      const goesOn = !this.#trouble.isFenced() && !(this.#closing && this.#trouble.isUnderWay());
      if (this.#due && this.#queue.length() > 0 && goesOn) this.#start();
    });
  }

  async #drain(): Promise<void> {
    let pauseMs = this.#deps.limits.retryMinMs;
    // During trouble the writer tries to write the trouble's record, also with an empty queue.
    while (this.#due || this.#trouble.isUnderWay()) {
      const waiting = this.#take();
      const batch = this.#tryBuild(waiting);
      if (batch === null) {
        if (this.#closing) return;
        await this.#pause(pauseMs);
        continue;
      }
      if (batch.links.length === 0) continue;
      const failure = await this.#commit(batch);
      if (failure === null) {
        this.#trouble.end();
        this.#onDurable(batch.links, batch.after);
        for (const { waiting, link } of batch.answers) this.#answer(waiting, link);
        pauseMs = this.#deps.limits.retryMinMs;
        continue;
      }
      this.#beginTrouble(waiting, failure);
      let head = await this.#readHead();
      while (head === undefined && !this.#closing) {
        await this.#pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, this.#deps.limits.retryMaxMs);
        head = await this.#readHead();
      }
      if (head === undefined) return this.#callers.reject(waiting, "the store did not come back");
      this.#resume(batch, head);
      if (this.#trouble.isFenced() || this.#closing) return;
      await this.#pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, this.#deps.limits.retryMaxMs);
    }
  }

  /** The events of the next batch; the rest of the queue is due as well. */
  #take(): Waiting[] {
    const waiting = this.#queue.take();
    this.#due = this.#queue.length() > 0;
    if (!this.#due) {
      clearTimeout(this.#linger);
      this.#linger = undefined;
    }
    return waiting;
  }

  /** @returns null if an event cannot become a record; the batch's callers then get an error. */
  #tryBuild(waiting: readonly Waiting[]): Batch | null {
    try {
      return buildBatch(this.#deps, this.#standing, waiting, this.#trouble.describe());
    } catch (error) {
      const reason = `its record cannot be made: ${error}`;
      this.#deps.log(`audit: ${reason}`);
      this.#callers.reject(waiting, reason);
      return null;
    }
  }

  /** @returns null, or why the commit failed. */
  async #commit(batch: Batch): Promise<Error | null> {
    const deadline = startDeadline(this.#deps.limits.stallMs, () => this.#stall(batch));
    this.#isCommitting = true;
    try {
      const entries = batch.links.map((link) => link.entry);
      await this.#deps.store.append(entries, sideDocuments(this.#deps, batch));
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      deadline.cancel();
      this.#isCommitting = false;
      this.#trouble.stall(null);
    }
  }

  /** These records are stored. Anchors and followers hear of them before the callers. */
  #onDurable(links: readonly ChainLink[], after: ChainStanding): void {
    this.#standing = after;
    if (endsWithCheckpoint(links)) this.#attempt(() => this.#anchor(after.state));
    for (const { record } of links) {
      for (const follower of this.#followers) this.#attempt(() => follower(record));
    }
    this.#scheduleCheckpoint();
  }

  #anchor(state: ChainState): void {
    const { signer, anchors, now } = this.#deps;
    anchors.push(signer.sign(checkpointOf(state, now())));
  }

  /** Runs a listener for durable records; an error in it does not stop the log. */
  #attempt(hear: () => void): void {
    try {
      hear();
    } catch (error) {
      this.#logError(error);
    }
  }

  /** Records get a checkpoint after `checkpointEveryMs`, also when no records follow. */
  #scheduleCheckpoint(): void {
    if (this.#idle !== undefined || this.#closing || !this.#hasNewRecords()) return;
    this.#idle = setTimeout(() => {
      this.#idle = undefined;
      if (this.#hasNewRecords()) this.checkpoint().catch((error) => this.#logError(error));
    }, this.#deps.config.checkpointEveryMs);
    Deno.unrefTimer(Number(this.#idle));
  }

  #answer(waiting: Waiting, { record }: ChainLink): void {
    if (!waiting.refused) return waiting.resolve(record);
    this.#queue.push(ownEvent(describeRefused(record), this.#deps.now()));
    this.#due = true;
  }

  /** A commit takes too long: announcements that wait are refused, as after a failure. */
  #stall(batch: Batch): void {
    const reason = `the store has not answered for ${this.#deps.limits.stallMs} ms`;
    this.#trouble.stall(reason);
    this.#callers.refuseAnnouncements(batch.answers.map(({ waiting }) => waiting), reason);
  }

  #beginTrouble(waiting: readonly Waiting[], failure: Error): void {
    const reason = failure instanceof FencedError ? this.#fencedReason() : failure.message;
    this.#trouble.begin(reason);
    this.#callers.refuseAnnouncements(waiting, reason);
    this.#callers.releasePatient(waiting);
  }

  /** @returns undefined if the store cannot be read. */
  async #readHead(): Promise<LogEntry | null | undefined> {
    try {
      return await this.#deps.store.head(this.state.chain);
    } catch {
      this.#callers.releasePatient([]);
      return undefined;
    }
  }

  /** Continues after the stored part of a batch whose commit failed. */
  #resume(batch: Batch, head: LogEntry | null): void {
    const stored = countStored(batch, this.#standing, head);
    if (stored === null) return this.#fence(batch);
    if (stored > 0) {
      const links = batch.links.slice(0, stored);
      const state = followEntries(this.state, links.map(({ entry }) => entry));
      this.#onDurable(links, standAfter(this.#standing, state, links, this.#deps.now()));
    }
    const again: Waiting[] = [];
    for (const { waiting, link } of batch.answers) {
      if (link.record.seq < this.state.size) this.#answer(waiting, link);
      else if (!waiting.refused) again.push(waiting);
    }
    this.#queue.putBack(again);
    this.#due = this.#queue.length() > 0;
  }

  #fence(batch: Batch): void {
    const reason = this.#fencedReason();
    this.#trouble.fence(reason);
    const inFlight = batch.answers.map(({ waiting }) => waiting);
    this.#callers.reject([...inFlight, ...this.#queue.remove(() => true)], reason);
  }

  #fencedReason(): string {
    return `another process writes the chain "${this.state.chain}"`;
  }

  #logError(error: unknown): void {
    this.#deps.log(`audit: ${error instanceof Error ? error.message : String(error)}`);
  }

  async #pause(ms: number): Promise<void> {
    if (this.#closing) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await withinMs(promise, ms);
    this.#wake = null;
  }
}
