/**
 * Redaction: secrets found and false alarms in a labelled corpus, and CPU time.
 *
 * CPU time is compared with JSON.parse and JSON.stringify of the same result in the same run, which
 * every result passes anyway. Texts made to slow detectors are compared with texts of an eighth of
 * the length.
 *
 * Run: `deno run --cached-only --no-prompt -A bench/redact_bench.ts [--json]`
 */
import { cpuUsage } from "node:process";
import { redactResult } from "../src/policy/redact/redact.ts";
import { makeRedactionCorpus } from "../tests/policy/redact/redaction_corpus.ts";
import { HOSTILE_PIECES } from "../tests/policy/redact/redaction_hostile.ts";

const RULES = ["secrets", "email"] as const;
/** The engine compiles the code in the first rounds. */
const ROUNDS = 40;
const CHARACTERS = 400_000;

function judge(part: "tune" | "apart") {
  const lines = makeRedactionCorpus().filter((line) => line.part === part);
  const withSecret = lines.filter(({ secrets }) => secrets.length > 0);
  const found = withSecret.filter(({ value, secrets }) => {
    const text = JSON.stringify(redactResult(value, [...RULES]).value);
    return secrets.every((secret) => !text.includes(secret));
  });
  const harmless = lines.filter(({ secrets }) => secrets.length === 0);
  const alarms = harmless.filter(({ value }) => redactResult(value, [...RULES]).redactions > 0);
  return {
    part,
    lines: lines.length,
    recallPercent: 100 * found.length / withSecret.length,
    falseAlarmPercent: 100 * alarms.length / harmless.length,
  };
}

/** Least CPU of a round in milliseconds: other work on the machine only adds to it. */
function leastCpuMs(work: () => unknown, rounds = ROUNDS): number {
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    const before = cpuUsage();
    work();
    const { user, system } = cpuUsage(before);
    least = Math.min(least, (user + system) / 1_000);
  }
  return least;
}

function rows(): unknown {
  return Array.from({ length: 2_000 }, (_, index) => ({
    id: index,
    customer: `Customer ${index}`,
    status: index % 3 === 0 ? "open" : "closed",
    createdAt: new Date(1_700_000_000_000 + index * 1_000).toISOString(),
    total: index * 1.25,
    tags: ["blue", "green"],
    note: "asked for the invoice, key account, see https://example.com/orders",
  }));
}

const LOG =
  "2026-01-02T03:04:05.678Z INFO [worker-3] GET /v1/users/81?sort=name status=200 took=12ms\n";
const PROSE =
  "The quick brown fox jumps over the lazy dog, and nobody asked for its password today. ";
const fill = (piece: string, characters: number) =>
  piece.repeat(Math.ceil(characters / piece.length)).slice(0, characters);

const SUBJECTS: readonly (readonly [string, unknown])[] = [
  ["rows of a table", rows()],
  ["log in one text", fill(LOG, CHARACTERS)],
  ["prose in one text", fill(PROSE, CHARACTERS)],
  ["JSON in a text", JSON.stringify(JSON.stringify(rows()))],
  [
    "base64 in one text",
    fill("iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4", CHARACTERS),
  ],
  ["corpus", makeRedactionCorpus().map(({ value }) => value)],
];

function measure([subject, value]: readonly [string, unknown]) {
  const text = JSON.stringify(value);
  const baseline = leastCpuMs(() => JSON.stringify(JSON.parse(text)));
  const redaction = leastCpuMs(() => redactResult(value, [...RULES]));
  const per100Kb = 100_000 / text.length;
  return {
    subject,
    kilobytes: Math.round(text.length / 1_000),
    msPer100Kb: Number((redaction * per100Kb).toFixed(2)),
    jsonMsPer100Kb: Number((baseline * per100Kb).toFixed(2)),
    ratio: Number((redaction / baseline).toFixed(2)),
  };
}

/** Time for eight times the length: 8 is linear, 64 quadratic. */
function growth(piece: string) {
  const [short, long] = [fill(piece, 65_536), fill(piece, 524_288)];
  const shortMs = leastCpuMs(() => redactResult(short, [...RULES]), 7);
  const longMs = leastCpuMs(() => redactResult(long, [...RULES]), 4);
  return {
    hostile: JSON.stringify(piece.slice(0, 32)),
    msPer100Kb: Number((longMs * 100_000 / 524_288).toFixed(2)),
    growth: Number((longMs / Math.max(shortMs, 0.01)).toFixed(1)),
  };
}

const corpus = [judge("tune"), judge("apart")];
const cpu = SUBJECTS.map(measure);
const hostile = HOSTILE_PIECES.map(growth);
if (Deno.args.includes("--json")) {
  console.log(JSON.stringify({ corpus, cpu, hostile }));
} else {
  for (const table of [corpus, cpu, hostile]) console.table(table);
}
