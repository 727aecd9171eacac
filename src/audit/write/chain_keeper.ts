/** What goes into and beside each batch so that the chain proves itself. */
import type { Config } from "../../config/schema.ts";
import type { AuditEvent } from "../../model/event.ts";
import type { Json } from "../../model/json/json.ts";
import { keyOf } from "../../store/keys.ts";
import type { Change } from "../../store/store.ts";
import type { AuditKeys } from "../chain/audit_keys.ts";
import { type ChainLink, type ChainState, checkpointOf } from "../chain/chain.ts";
import type { OpenWork } from "./open_work.ts";
import type { RecoveredChain } from "./recover_chain.ts";
import type { WrittenBatch } from "./writer.ts";

/** Calls under way that a checkpoint names; a record has room for no more. */
const OPEN_CALLS_NAMED_MAX = 200;

export interface ChainKeeper {
  /** The record that opens this process's part of the chain, until it is written. */
  leader(): AuditEvent | null;
  trailer(
    state: ChainState,
    links: readonly ChainLink[],
    demanded: boolean,
  ): AuditEvent | null;
  beside(batch: WrittenBatch): Change[];
  /** @returns the note to anchor when the batch holds a checkpoint. */
  written(batch: WrittenBatch): string | null;
  /** Whether records wait for a checkpoint. */
  isCheckpointDue(state: ChainState): boolean;
}

export function createChainKeeper(
  deps: {
    keys: AuditKeys;
    config: Config["audit"];
    now: () => number;
    recovered: RecoveredChain;
  },
): ChainKeeper {
  const { keys, config, now, recovered } = deps;
  let opened = false;
  let open: OpenWork = recovered.open;
  let checkpointSize = recovered.checkpointSize;
  let checkpointTime = now();

  function openAfter(links: readonly ChainLink[]): OpenWork {
    const after = open.copy();
    for (const { record } of links) after.see(record);
    return after;
  }

  return {
    leader() {
      if (opened) return null;
      const detail = {
        type: "audit.open",
        key: keys.signer.verifierKey,
        payloads: config.payloads,
        ...(recovered.tampered === null ? {} : { tampered: recovered.tampered }),
      };
      return { kind: "admin", detail };
    },
    trailer(state, links, demanded) {
      const due = state.size - checkpointSize >= config.checkpointEvery ||
        now() - checkpointTime >= config.checkpointEveryMs;
      if (!due && !demanded) return null;
      const calls = openAfter(links).calls();
      const detail = {
        note: keys.signer.sign(checkpointOf(state, now())),
        open: calls.slice(0, OPEN_CALLS_NAMED_MAX),
        ...(calls.length > OPEN_CALLS_NAMED_MAX
          ? { openMore: calls.length - OPEN_CALLS_NAMED_MAX }
          : {}),
      };
      return { kind: "checkpoint", detail };
    },
    beside(batch) {
      const { state, links } = batch;
      const seal: Change = {
        key: keyOf.auditSeal(state.chain),
        value: keys.signer.sign(checkpointOf(state, now())),
      };
      if (links.at(-1)?.record.kind !== "checkpoint") return [seal];
      const value: Json = {
        frontier: state.tree.frontier() as unknown as Json,
        head: state.head,
        open: openAfter(links).entries(),
      };
      return [seal, { key: keyOf.auditState(state.chain), value }];
    },
    written({ state, links }) {
      opened = true;
      open = openAfter(links);
      if (links.at(-1)?.record.kind !== "checkpoint") return null;
      checkpointSize = state.size;
      checkpointTime = now();
      return keys.signer.sign(checkpointOf(state, now()));
    },
    isCheckpointDue: (state) => state.size > checkpointSize,
  };
}
