/** Checks every chain of a store, or of an export, against signed notes. */
import type { AuditRecord } from "../../model/event.ts";
import { keyOf, prefixOf } from "../../store/keys.ts";
import type { LogEntry, Store } from "../../store/store.ts";
import { toLogEntry } from "../audit_record.ts";
import { type Checkpoint, openCheckpoint, readCheckpoint } from "../chain/checkpoint.ts";
import { readTolerant } from "../chain/read_chain.ts";
import type { PayloadStore } from "../payloads/payload_store.ts";
import { readState } from "../write/recover_chain.ts";
import { readTrimmed } from "../write/trimmed.ts";
import type { AuditProblem, ChainReport } from "./audit_report.ts";
import type { ChainVerifierOptions, KnownPlace } from "./chain_marks.ts";
import { ChainVerifier } from "./verify_chain.ts";
import { createPayloadChecker, type PayloadChecker } from "./verify_payloads.ts";

export interface AuditReport {
  /** No problem anywhere. Unanchored records alone are not a problem. */
  readonly ok: boolean;
  readonly records: number;
  readonly chains: readonly ChainReport[];
  /** The problem to look at first: the earliest record of the first chain that has one. */
  readonly firstBad: AuditProblem | null;
}

/** The state of a running log in memory, which changes of the store do not affect. */
export interface LiveChain {
  readonly chain: string;
  readonly size: number;
  readonly head: string;
}

export interface VerifyAuditOptions {
  readonly store: Store;
  /** Public keys that may have signed. */
  readonly verifierKeys: readonly string[];
  /** Notes kept outside the store. */
  readonly anchors?: readonly string[];
  readonly live?: LiveChain | null;
  /** Also opens every payload and compares it with its commit. */
  readonly payloads?: { readonly store: PayloadStore; readonly retentionMs: number } | null;
  readonly now?: () => number;
}

/** Reads the whole store; a log may keep writing meanwhile. */
export async function verifyAudit(options: VerifyAuditOptions): Promise<AuditReport> {
  const chains: ChainReport[] = [];
  for (const chain of await listChains(options)) chains.push(await verifyChain(options, chain));
  return summarize(chains);
}

/**
 * Checks exported records, oldest first, with public keys alone.
 *
 * @param lines JSON lines of one or more chains; empty ones are skipped.
 */
export async function verifyAuditExport(
  lines: AsyncIterable<string> | Iterable<string>,
  options: {
    verifierKeys: readonly string[];
    anchors?: readonly string[];
    /** Whether the newest records may come after the last checkpoint; default false. */
    mayEndUnsigned?: boolean;
  },
): Promise<AuditReport> {
  const { verifierKeys, anchors = [], mayEndUnsigned = false } = options;
  const verifiers = new Map<string, ChainVerifier>();
  const verifierOf = (chain: string) => {
    const known = verifiers.get(chain);
    if (known !== undefined) return known;
    const made = new ChainVerifier({
      chain,
      verifierKeys,
      anchors,
      trimmed: null,
      seal: null,
      known: [],
      mayEndUnsigned,
    });
    verifiers.set(chain, made);
    return made;
  };
  let chain = "";
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === "") continue;
    chain = chainOf(line) ?? chain;
    verifierOf(chain).feed(line, `Line ${number}`);
  }
  for (const note of anchors) {
    const anchored = openCheckpoint(note, verifierKeys)?.chain;
    if (anchored !== undefined) verifierOf(anchored);
  }
  return summarize([...verifiers.values()].map((verifier) => verifier.finish()));
}

const PROBLEMS_SHOWN = 20;

/** Renders one line about each chain, and one for each of its first problems. */
export function renderAuditReport(report: AuditReport): string {
  const lines = report.chains.flatMap((chain) => {
    const range = (name: string, value: readonly [number, number] | null) =>
      value === null ? "" : `, ${name} ${value[0]}-${value[1]}`;
    const state = chain.problemCount === 0 ? "ok" : `${chain.problemCount} problems`;
    const head = `${oneLine(chain.chain)}: ${state}, ${chain.records} records` +
      range("anchored", chain.anchored) + range("signed, not anchored", chain.unanchored) +
      range("not signed", chain.unsigned) +
      (chain.open.length === 0 ? "" : `, ${chain.open.length} calls under way`);
    const shown = chain.problems.slice(0, PROBLEMS_SHOWN);
    const more = chain.problemCount - shown.length;
    return [
      head,
      ...shown.map(({ kind, message }) => `  ${kind}: ${oneLine(message)}`),
      ...(more === 0 ? [] : [`  … and ${more} more`]),
    ];
  });
  return lines.join("\n");
}

/** Replaces line breaks and control characters, so that stored text cannot forge a report line. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
}

function summarize(chains: readonly ChainReport[]): AuditReport {
  return {
    ok: chains.every((chain) => chain.problemCount === 0),
    records: chains.reduce((sum, chain) => sum + chain.records, 0),
    chains,
    firstBad: chains.find((chain) => chain.problemCount > 0)?.problems[0] ?? null,
  };
}

async function verifyChain(options: VerifyAuditOptions, chain: string): Promise<ChainReport> {
  const { store, live = null } = options;
  const verifierOptions = await readVerifierOptions(options, chain);
  const verifier = new ChainVerifier(verifierOptions);
  const head = await store.head(chain);
  const size = Math.max(
    openCheckpoint(verifierOptions.seal, options.verifierKeys)?.size ?? (head?.seq ?? -1) + 1,
    live?.chain === chain ? live.size : 0,
  );
  const payloads = options.payloads
    ? createPayloadChecker({
      ...options.payloads,
      now: options.now ?? Date.now,
      report: (seq, message) => verifier.report("payload", seq, message),
    })
    : null;
  const onDamage = (first: number, last: number) =>
    verifier.report("malformed", first, `Records ${first} to ${last} cannot be read`);
  for await (const entries of readTolerant(store, { log: chain, from: 0, to: size }, onDamage)) {
    for (const entry of entries) await checkEntry(verifier, payloads, entry);
  }
  payloads?.finish();
  await checkTail(options, verifier, chain);
  for (const message of await store.check(chain)) verifier.report("index", null, message);
  return verifier.finish();
}

async function checkEntry(
  verifier: ChainVerifier,
  payloads: PayloadChecker | null,
  entry: LogEntry,
): Promise<void> {
  const record = verifier.feed(entry.body, `Record ${entry.seq}`);
  if (record === null) return;
  const difference = differenceOf(entry, record);
  if (difference !== null) {
    const message = `Record ${record.seq} is filed under another ${difference} than its own`;
    verifier.report("index", record.seq, message);
  }
  await payloads?.check(record);
}

/** The first label in the store's index that differs from the record; null if all agree. */
function differenceOf(entry: LogEntry, record: AuditRecord): string | null {
  const own = toLogEntry(record, entry.body);
  const labels = ["seq", "ts", "principal", "tool", "execution", "kind", "effect"] as const;
  const different = labels.find((label) => entry[label] !== own[label]) ?? null;
  // Older versions filed records under the policy's decision.
  if (different === "effect" && entry.effect === record.decision?.effect) return null;
  return different;
}

/**
 * Reports records after the newest note, because every batch is written with a note. Reads a note
 * before and after the size, because the log may keep writing meanwhile.
 */
async function checkTail(
  options: VerifyAuditOptions,
  verifier: ChainVerifier,
  chain: string,
): Promise<void> {
  const before = await readSeal(options, chain);
  const size = ((await options.store.head(chain))?.seq ?? -1) + 1;
  const after = await readSeal(options, chain);
  if (before !== null && size < before.size) {
    const message = `The store says ${size} records where ${before.size} were signed`;
    verifier.report("index", null, message);
  }
  if (after !== null && size > after.size) {
    verifier.report("unsigned", after.size, `Records from ${after.size} on were never signed`);
  }
}

async function readSeal(options: VerifyAuditOptions, chain: string): Promise<Checkpoint | null> {
  const sealed = (await options.store.get(keyOf.auditSeal(chain)))?.value;
  return typeof sealed === "string" ? openCheckpoint(sealed, options.verifierKeys) : null;
}

async function readVerifierOptions(
  options: VerifyAuditOptions,
  chain: string,
): Promise<ChainVerifierOptions & { seal: string }> {
  const { store, verifierKeys, anchors = [], live = null } = options;
  const trimmed = await readTrimmed(store, chain, verifierKeys);
  const known: KnownPlace[] = [];
  if (live !== null && live.chain === chain) known.push({ ...live, what: "the running log" });
  if (trimmed !== null) {
    const { size, head } = trimmed.state;
    known.push({ size, head, what: "the statement of what was trimmed" });
  }
  const state = await readState(store, chain);
  if (state !== null) {
    const { state: { size, head, tree }, open } = state;
    const what = "the kept state";
    known.push({ size, head, what, root: tree.root(), open: open.calls() });
  }
  // Read the note over the newest record last, so that it covers all other known facts.
  const sealed = (await store.get(keyOf.auditSeal(chain)))?.value;
  const seal = typeof sealed === "string" ? sealed : "";
  return { chain, verifierKeys, anchors, trimmed: trimmed?.state ?? null, seal, known };
}

/** Every stored chain, and every chain that a note, an anchor or a running log names. */
async function listChains(options: VerifyAuditOptions): Promise<string[]> {
  const { store, anchors = [], live = null, verifierKeys } = options;
  const chains = new Set(await store.logs());
  for (const { value } of await store.list(prefixOf.auditSeals())) {
    const seal = typeof value === "string" ? readCheckpoint(value) : null;
    if (seal !== null) chains.add(seal.chain);
  }
  for (const note of anchors) {
    const anchor = openCheckpoint(note, verifierKeys);
    if (anchor !== null) chains.add(anchor.chain);
  }
  if (live !== null && live.size > 0) chains.add(live.chain);
  return [...chains].sort();
}

function chainOf(line: string): string | null {
  const match = /"chain":"((?:[^"\\]|\\.)*)"/.exec(line);
  return match?.[1] === undefined ? null : JSON.parse(`"${match[1]}"`);
}
