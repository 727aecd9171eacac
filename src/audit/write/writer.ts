/**
 * Writes the chain: group commit with one batch in flight.
 *
 * A record that announces something (an intent) is refused while the store does not answer: what it
 * announces must then not happen. A record of something that has happened (an outcome) is not dropped
 * while the process lives: it waits until the store is back. After a failed commit the stored head
 * decides what was written; the first record after a failure says that there was one.
 */
import type { GateError } from "../../model/errors.ts";
import type { AuditEvent, AuditRecord } from "../../model/event.ts";
import { startDeadline } from "../../model/time/deadline.ts";
import { type Change, FencedError, type LogEntry, type Store } from "../../store/store.ts";
import { auditUnavailable } from "../audit_unavailable.ts";
import { type ChainLink, type ChainState, extendChain, followEntries } from "../chain/chain.ts";
import { normalizeEvent } from "../normalize_event.ts";
import { charactersOf, type KeptPayloads } from "../payloads/payload_box.ts";
import {
  type AuditLimits,
  type AuditQueue,
  createAuditQueue,
  describeRefused,
  describeTrouble,
  isAnnouncement,
  ownEvent,
  type Trouble,
  type Urgency,
  type Waiting,
} from "./queue.ts";

export interface AuditHealth {
  readonly ok: boolean;
  /** Why appends are refused; null when they are not. */
  readonly reason: string | null;
}

export interface WrittenBatch {
  readonly state: ChainState;
  readonly links: readonly ChainLink[];
  readonly payloads: readonly { readonly seq: number; readonly payloads: KeptPayloads }[];
}

export interface AuditWriterDeps {
  readonly store: Pick<Store, "append" | "head">;
  readonly now: () => number;
  readonly limits: AuditLimits;
  /** The log's own record before a batch, if one is due. */
  readonly leader: () => AuditEvent | null;
  /** The checkpoint after a batch, if one is due or demanded. */
  readonly trailer: (
    state: ChainState,
    links: readonly ChainLink[],
    demanded: boolean,
  ) => AuditEvent | null;
  /** Documents to write with a batch: the seal, the payload box, at a checkpoint the state. */
  readonly beside: (batch: WrittenBatch) => readonly Change[];
  /** After a batch is durable, before its writers learn it. */
  readonly written: (batch: WrittenBatch) => void;
  readonly log: (message: string) => void;
}

interface Built extends WrittenBatch {
  /** Which link answers which waiting: the last one a demanded checkpoint. */
  readonly linkOf: (index: number) => ChainLink | undefined;
}

export class AuditWriter {
  readonly #deps: AuditWriterDeps;
  readonly #queue: AuditQueue;
  #state: ChainState;
  #draining: Promise<void> | null = null;
  #trouble: Trouble | null = null;
  #stalled: string | null = null;
  #fenced = false;
  #closing = false;
  /** Something in the queue is waited for, so that a commit must not be put off. */
  #due = false;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #wake: (() => void) | null = null;

  constructor(deps: AuditWriterDeps, state: ChainState) {
    this.#deps = deps;
    this.#state = state;
    this.#queue = createAuditQueue(deps.limits);
  }

  get state(): ChainState {
    return this.#state;
  }

  /** Whether something waits or is being written. */
  isBusy(): boolean {
    return this.#draining !== null || this.#queue.length() > 0;
  }

  health(): AuditHealth {
    const reason = this.#trouble?.reason ?? this.#stalled;
    return { ok: reason === null, reason };
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
    const normal = normalizeEvent(event);
    const { promise, resolve, reject } = Promise.withResolvers<AuditRecord>();
    const ts = this.#deps.now();
    const characters = charactersOf(payloads);
    const waiting = {
      event: normal,
      ts,
      payloads,
      characters,
      refused: false,
      own: false,
      resolve,
      reject,
    };
    const refusal = this.#refusal(waiting);
    if (refusal !== null) {
      if (this.#trouble !== null) this.#trouble.refused++;
      return Promise.reject(this.#unavailable(refusal));
    }
    this.#queue.push(waiting);
    if (urgency === "now") this.#flush();
    else this.#linger ??= setTimeout(() => this.#flush(), this.#deps.limits.lingerMs);
    return promise;
  }

  /** Writes what waits and stops; a store that does not answer is waited for a little. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#wake?.();
    this.#flush();
    const late = Promise.withResolvers<void>();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      late.resolve();
    }, this.#deps.limits.closePatienceMs);
    while (this.#draining !== null && !isLate) await Promise.race([this.#draining, late.promise]);
    clearTimeout(timer);
    this.#rejectAll(this.#queue.remove(() => true), "it was closed before the store answered");
  }

  /** Why an event cannot wait in the queue; null if it can. */
  #refusal(waiting: Waiting): string | null {
    if (this.#closing) return "it is closed";
    if (this.#fenced) return this.#trouble?.reason ?? "";
    if (!isAnnouncement(waiting)) {
      return this.#queue.length() < this.#deps.limits.factsMax ? null : "its queue is full";
    }
    const { reason } = this.health();
    return reason ?? (this.#queue.isFull() ? "its queue is full" : null);
  }

  #flush(): void {
    clearTimeout(this.#linger);
    this.#linger = undefined;
    this.#due = this.#queue.length() > 0;
    this.#start();
  }

  /** The next batch; what does not fit into it is due as well. */
  #take(): Waiting[] {
    const batch = this.#queue.take();
    this.#due = this.#queue.length() > 0;
    if (!this.#due) {
      clearTimeout(this.#linger);
      this.#linger = undefined;
    }
    return batch;
  }

  #start(): void {
    if (this.#draining !== null) return;
    // Everything that is appended in this turn of the event loop goes into the first batch.
    this.#draining = Promise.resolve().then(() => this.#drain()).finally(() => {
      this.#draining = null;
      const goesOn = !this.#fenced && !(this.#closing && this.#trouble !== null);
      if (this.#due && this.#queue.length() > 0 && goesOn) this.#start();
    });
  }

  async #drain(): Promise<void> {
    let pauseMs = this.#deps.limits.retryMinMs;
    // While there is trouble the record of it is tried, also when nothing else waits.
    while (this.#due || this.#trouble !== null) {
      const batch = this.#take();
      const built = this.#tryBuild(batch);
      if (built === null) continue;
      const failure = await this.#commit(batch, built);
      if (failure === null) {
        this.#settle(batch, built);
        pauseMs = this.#deps.limits.retryMinMs;
        continue;
      }
      this.#enterTrouble(batch, failure);
      let head = await this.#readHead();
      while (head === undefined && !this.#closing) {
        await this.#pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, this.#deps.limits.retryMaxMs);
        head = await this.#readHead();
      }
      if (head === undefined) return this.#rejectAll(batch, "the store did not come back");
      this.#resume(batch, built, head);
      if (this.#fenced || this.#closing) return;
      await this.#pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, this.#deps.limits.retryMaxMs);
    }
  }

  /** @returns null if no record can be made of it, which its writers are told. */
  #tryBuild(batch: readonly Waiting[]): Built | null {
    try {
      return this.#build(batch);
    } catch (error) {
      const reason = `its record cannot be made: ${error}`;
      this.#deps.log(`audit: ${reason}`);
      this.#rejectAll(batch, reason);
      return null;
    }
  }

  #build(batch: readonly Waiting[]): Built {
    const leaders = [this.#deps.leader(), describeTrouble(this.#trouble)].filter((one) =>
      one !== null
    );
    const demanded = batch.at(-1)?.event.kind === "checkpoint";
    const events: { event: AuditEvent; ts: number }[] = demanded ? batch.slice(0, -1) : [...batch];
    events.unshift(...leaders.map((event) => ({ event, ts: this.#deps.now() })));
    let { state, links } = extendChain(this.#state, events);
    const trailer = this.#deps.trailer(state, links, demanded);
    if (trailer !== null) {
      const extended = extendChain(state, [{ event: trailer, ts: this.#deps.now() }]);
      state = extended.state;
      links = [...links, ...extended.links];
    }
    const linkOf = (index: number) =>
      demanded && index === batch.length - 1 ? links.at(-1) : links[index + leaders.length];
    const payloads = batch.flatMap((waiting, index) => {
      const seq = linkOf(index)?.record.seq;
      if (waiting.payloads === null || seq === undefined) return [];
      return [{ seq, payloads: waiting.payloads }];
    });
    return { state, links, payloads, linkOf };
  }

  /** @returns null, or why it failed. */
  async #commit(batch: readonly Waiting[], built: Built): Promise<Error | null> {
    const deadline = startDeadline(this.#deps.limits.stallMs, () => this.#stall(batch));
    try {
      const entries = built.links.map((link) => link.entry);
      await this.#deps.store.append(entries, this.#deps.beside(built));
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      deadline.cancel();
      this.#stalled = null;
    }
  }

  /** The batch is stored: adopts it and answers its writers. */
  #settle(batch: readonly Waiting[], built: Built): void {
    this.#state = built.state;
    if (this.#trouble !== null) this.#deps.log("audit: the store can be written again");
    this.#trouble = null;
    this.#tellWritten(built);
    for (const [index, waiting] of batch.entries()) this.#answer(waiting, built.linkOf(index));
  }

  /** What is stored stays stored, whatever becomes of those who hear of it. */
  #tellWritten(batch: WrittenBatch): void {
    try {
      this.#deps.written(batch);
    } catch (error) {
      this.#deps.log(`audit: cannot tell of a batch that was written: ${error}`);
    }
  }

  #answer(waiting: Waiting, link: ChainLink | undefined): void {
    if (link === undefined) return;
    if (!waiting.refused) return waiting.resolve(link.record);
    this.#queue.push(ownEvent(describeRefused(link.record), this.#deps.now()));
    this.#due = true;
  }

  /** A commit takes too long: what only waits for it is refused, as after a failure. */
  #stall(batch: readonly Waiting[]): void {
    this.#stalled = `the store has not answered for ${this.#deps.limits.stallMs} ms`;
    this.#deps.log(`audit: ${this.#stalled}`);
    this.#refuseAnnouncements(batch, this.#stalled);
  }

  #enterTrouble(batch: readonly Waiting[], failure: Error): void {
    const reason = failure instanceof FencedError ? this.#fencedReason() : failure.message;
    if (this.#trouble === null) this.#deps.log(`audit: ${reason}`);
    const { since, refused } = this.#trouble ?? { since: this.#deps.now(), refused: 0 };
    this.#trouble = { reason, since, refused };
    this.#refuseAnnouncements(batch, reason);
    this.#releasePatient(batch);
  }

  #refuseAnnouncements(batch: readonly Waiting[], reason: string): void {
    const queued = this.#queue.remove(isAnnouncement);
    for (const waiting of [...queued, ...batch.filter(isAnnouncement)]) {
      if (waiting.refused) continue;
      waiting.refused = true;
      if (this.#trouble !== null) this.#trouble.refused++;
      waiting.reject(this.#unavailable(reason));
    }
  }

  /** Writers of facts are not kept for ever; the facts are. */
  #releasePatient(batch: readonly Waiting[]): void {
    const before = this.#deps.now() - this.#deps.limits.factPatienceMs;
    const patient = [...batch, ...this.#queue.all()].filter((waiting) => waiting.ts < before);
    for (const waiting of patient) waiting.reject(this.#unavailable(this.#trouble?.reason ?? ""));
  }

  /** @returns undefined while it cannot be read. */
  async #readHead(): Promise<LogEntry | null | undefined> {
    try {
      return await this.#deps.store.head(this.#state.chain);
    } catch {
      this.#releasePatient([]);
      return undefined;
    }
  }

  /** The stored head tells what became of a failed batch: goes on behind it. */
  #resume(batch: readonly Waiting[], built: Built, head: LogEntry | null): void {
    const stored = (head === null ? 0 : head.seq + 1) - this.#state.size;
    if (stored !== 0 && head?.body !== built.links[stored - 1]?.entry.body) {
      return this.#fence(batch);
    }
    const links = built.links.slice(0, stored);
    const state = followEntries(this.#state, links.map((link) => link.entry));
    const payloads = built.payloads.filter(({ seq }) => seq < state.size);
    this.#state = state;
    if (stored > 0) this.#tellWritten({ state, links, payloads });
    const again: Waiting[] = [];
    for (const [index, waiting] of batch.entries()) {
      const link = built.linkOf(index);
      if (link !== undefined && link.record.seq < state.size) this.#answer(waiting, link);
      else if (!waiting.refused) again.push(waiting);
    }
    this.#queue.putBack(again);
    this.#due = this.#queue.length() > 0;
  }

  #fence(batch: readonly Waiting[]): void {
    this.#fenced = true;
    const reason = this.#fencedReason();
    this.#trouble = { reason, since: this.#deps.now(), refused: 0 };
    this.#deps.log(`audit: ${reason}`);
    this.#rejectAll([...batch, ...this.#queue.remove(() => true)], reason);
  }

  #fencedReason(): string {
    return `another process writes the chain "${this.#state.chain}"`;
  }

  #rejectAll(waitings: readonly Waiting[], reason: string): void {
    for (const waiting of waitings) waiting.reject(this.#unavailable(reason));
  }

  #unavailable(reason: string): GateError {
    return auditUnavailable(reason, this.#deps.limits.retryMaxMs);
  }

  async #pause(ms: number): Promise<void> {
    if (this.#closing) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = null;
  }
}
