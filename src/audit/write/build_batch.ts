/** Makes records of the queued events, and everything else that one commit writes. */
import type { Config } from "../../config/schema.ts";
import type { AuditEvent } from "../../model/event.ts";
import { keyOf } from "../../store/keys.ts";
import type { Change, LogEntry } from "../../store/store.ts";
import { type ChainLink, checkpointOf, extendChain } from "../chain/chain.ts";
import type { CheckpointSigner } from "../chain/checkpoint.ts";
import type { KeptPayloads } from "../payloads/payload_box.ts";
import type { PayloadStore } from "../payloads/payload_store.ts";
import { type ChainStanding, endsWithCheckpoint, standAfter } from "./chain_standing.ts";
import type { Waiting } from "./queue.ts";

/** Calls under way that a checkpoint names; a record has no room for more. */
const OPEN_CALLS_NAMED_MAX = 200;

export interface BatchDeps {
  readonly signer: CheckpointSigner;
  readonly config: Pick<Config["audit"], "payloads" | "checkpointEvery" | "checkpointEveryMs">;
  readonly payloadStore: Pick<PayloadStore, "pack">;
  /** How the stored chain differed from its last signed state; null if it did not. */
  readonly tampered: string | null;
  readonly now: () => number;
}

export interface Batch {
  readonly links: readonly ChainLink[];
  /** The chain link of each queued event. */
  readonly answers: readonly { readonly waiting: Waiting; readonly link: ChainLink }[];
  /** The chain's standing once the whole batch is durable. */
  readonly after: ChainStanding;
}

/**
 * The next records of a chain: the log's own first, then the queued events, then a checkpoint if
 * one is due or if the last queued event demands one.
 *
 * @param recovered the record about a trouble that this batch ends
 */
export function buildBatch(
  deps: BatchDeps,
  standing: ChainStanding,
  waiting: readonly Waiting[],
  recovered: AuditEvent | null,
): Batch {
  const { now } = deps;
  const isDemanded = waiting.at(-1)?.event.kind === "checkpoint";
  const told = isDemanded ? waiting.slice(0, -1) : waiting;
  const own = [recordBefore(deps, standing), recovered].filter((event) => event !== null);
  const ownEvents = own.map((event) => ({ event, ts: now() }));
  let { state, links } = extendChain(standing.state, [...ownEvents, ...told]);
  let after = links.length === 0 ? standing : standAfter(standing, state, links, now());
  const checkpoint = checkpointAfter(deps, after, isDemanded);
  if (checkpoint !== null) {
    const extended = extendChain(state, [{ event: checkpoint, ts: now() }]);
    after = standAfter(after, extended.state, extended.links, now());
    links = [...links, ...extended.links];
  }
  const answers = waiting.flatMap((one, index) => {
    const link = index < told.length ? links[own.length + index] : links.at(-1);
    return link === undefined ? [] : [{ waiting: one, link }];
  });
  return { links, answers, after };
}

/** The record that opens this process's part of the chain; null once it is written. */
function recordBefore(deps: BatchDeps, standing: ChainStanding): AuditEvent | null {
  if (standing.isOpened) return null;
  const detail = {
    type: "audit.open",
    key: deps.signer.verifierKey,
    payloads: deps.config.payloads,
    ...(deps.tampered === null ? {} : { tampered: deps.tampered }),
  };
  return { kind: "admin", detail };
}

/** The checkpoint over all earlier records, if one is demanded or due by number or time. */
function checkpointAfter(
  deps: BatchDeps,
  standing: ChainStanding,
  isDemanded: boolean,
): AuditEvent | null {
  const { config, signer, now } = deps;
  const { state, open, checkpointSize, checkpointTime } = standing;
  const isDue = state.size - checkpointSize >= config.checkpointEvery ||
    now() - checkpointTime >= config.checkpointEveryMs;
  if (!isDue && !isDemanded) return null;
  const calls = open.calls();
  const more = calls.length - OPEN_CALLS_NAMED_MAX;
  const detail = {
    note: signer.sign(checkpointOf(state, now())),
    open: calls.slice(0, OPEN_CALLS_NAMED_MAX),
    ...(more > 0 ? { openMore: more } : {}),
  };
  return { kind: "checkpoint", detail };
}

/**
 * The documents that the store writes together with a batch: the note over its newest record, the
 * state after a checkpoint, and the box of the payloads.
 */
export function sideDocuments(deps: BatchDeps, batch: Batch): Change[] {
  const { signer, payloadStore, now } = deps;
  const { state, open } = batch.after;
  const seal = {
    key: keyOf.auditSeal(state.chain),
    value: signer.sign(checkpointOf(state, now())),
  };
  const documents: Change[] = [seal];
  if (endsWithCheckpoint(batch.links)) {
    const { size, hashes } = state.tree.frontier();
    const value = {
      frontier: { size, hashes: [...hashes] },
      head: state.head,
      open: open.entries(),
    };
    documents.push({ key: keyOf.auditState(state.chain), value });
  }
  const box = payloadStore.pack(batch.answers.flatMap(withPayloads));
  if (box !== null) documents.push(box);
  return documents;
}

function withPayloads(
  { waiting, link }: Batch["answers"][number],
): { seq: number; payloads: KeptPayloads }[] {
  return waiting.payloads === null ? [] : [{ seq: link.record.seq, payloads: waiting.payloads }];
}

/**
 * How many records of a batch the store has, according to its newest record.
 *
 * @param head the newest stored record of the chain; null if there is none
 * @returns null if the newest record is not one of the batch: another process wrote it.
 */
export function countStored(
  batch: Batch,
  before: ChainStanding,
  head: LogEntry | null,
): number | null {
  const count = (head === null ? 0 : head.seq + 1) - before.state.size;
  if (count === 0) return 0;
  return head?.body === batch.links[count - 1]?.entry.body ? count : null;
}
