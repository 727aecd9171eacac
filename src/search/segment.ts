import { createAnalyzer, joinName } from "./analyze.ts";
import { toolVerb } from "./verb_class.ts";

/**
 * The postings of one upstream's tools, packed.
 *
 * A posting is a tool's number within the segment and its weight for a term: the sum over the
 * fields of boost times frequency over length. Lengths are compared with fixed ones, not with
 * averages of the catalog: a weight then depends on its own tool alone, never has to be computed
 * again, and lets no tool change the score of another.
 */
export interface Segment {
  readonly server: string;
  /** Row to term. */
  readonly terms: readonly string[];
  /** Row r has the postings from `starts[r]` to `starts[r + 1]`. */
  readonly starts: Uint32Array;
  readonly tools: Uint32Array;
  readonly weights: Float32Array;
  /** By the tool's number in the segment: the document's id in the store. */
  readonly documents: Uint32Array;
  readonly ids: readonly string[];
  /** @see toolVerb */
  readonly verbs: Uint8Array;
  /**
   * The rows of the words of name, title and summary in their order, with `BREAK` after each field.
   * Those of tool t are from `sequenceStarts[t]` to `sequenceStarts[t + 1]`; its name comes first.
   */
  readonly sequence: Uint32Array;
  readonly sequenceStarts: Uint32Array;
  /** The tools that a query names exactly. @see nameKeys */
  readonly names: ReadonlyMap<string, readonly number[]>;
}

/** A field's weight, how strongly its length counts (0 not at all, 1 fully), and its usual length. */
export interface FieldWeight {
  readonly boost: number;
  readonly lengthWeight: number;
  readonly termsUsual: number;
}

/** Field weights of BM25F. @see Robertson, Zaragoza: The Probabilistic Relevance Framework, 2009 */
export const FIELDS: ReadonlyMap<string, FieldWeight> = new Map([
  ["name", { boost: 1.6, lengthWeight: 0.75, termsUsual: 3 }],
  ["title", { boost: 2, lengthWeight: 0.75, termsUsual: 2 }],
  ["summary", { boost: 1.2, lengthWeight: 0.75, termsUsual: 7 }],
  ["details", { boost: 0.4, lengthWeight: 0.3, termsUsual: 10 }],
  ["parameters", { boost: 0.25, lengthWeight: 0.6, termsUsual: 5 }],
  ["parameterDocs", { boost: 0.4, lengthWeight: 0.2, termsUsual: 20 }],
  ["values", { boost: 0.8, lengthWeight: 0, termsUsual: 1 }],
  ["results", { boost: 0.3, lengthWeight: 0.5, termsUsual: 15 }],
  ["tags", { boost: 1.2, lengthWeight: 0.75, termsUsual: 1.5 }],
  ["server", { boost: 2, lengthWeight: 0, termsUsual: 1 }],
  ["serverDescription", { boost: 0.2, lengthWeight: 0, termsUsual: 1 }],
  ["path", { boost: 1, lengthWeight: 0.75, termsUsual: 4 }],
  ["aliases", { boost: 2, lengthWeight: 0.3, termsUsual: 4 }],
]);

/** Fields whose words are also kept in their order. */
const SEQUENCE_FIELDS = new Set(["name", "title", "summary"]);

/** How early more of the same term stops to count. */
const SATURATION = 1.2;

/** Ends a field in `Segment.sequence`. */
export const BREAK = 0xffff_ffff;

/**
 * The keys to look up a query that is a name, the most certain first: the exact name or id, the
 * name without case and separators, the name with its server.
 */
export function nameKeys(query: string): readonly string[] {
  const spelled = query.trim();
  const joined = joinName(spelled);
  return joined === "" ? [`=${spelled}`] : [`=${spelled}`, `~${joined}`, `+${joined}`];
}

/** The name of a tool, and of its server. */
export interface ToolNames {
  readonly server: string;
  readonly serverIdentifier: string;
  readonly name: string;
  readonly identifier: string;
}

function keysOf({ server, serverIdentifier, name, identifier }: ToolNames): Set<string> {
  const whole = [`${server}.${name}`, `${serverIdentifier}.${identifier}`];
  return new Set([
    ...[name, ...whole].map((spelling) => `=${spelling}`),
    ...[name, identifier].map((spelling) => `~${joinName(spelling)}`),
    ...whole.map((spelling) => `+${joinName(spelling)}`),
  ]);
}

export interface SegmentBuilder {
  /** Begins a tool. */
  open(document: number, id: string, names: ToolNames, method: string | null): void;
  /** Adds one field to the tool that was begun last. */
  add(field: string, text: string): void;
  /** Packs the added tools. It calls `giveWay` between pieces of the work. */
  seal(giveWay: () => Promise<void>): Promise<Segment>;
}

export function createSegmentBuilder(server: string): SegmentBuilder {
  const postings = new Map<string, Row>();
  const sequence: number[] = [];
  const sequenceStarts: number[] = [];
  const documents: number[] = [];
  const ids: string[] = [];
  const verbs: number[] = [];
  const names = new Map<string, number[]>();
  const analyze = createAnalyzer();
  let method: string | null = null;
  let nameTerms: readonly string[] = [];

  return {
    open(document, id, toolNames, httpMethod) {
      const tool = documents.push(document) - 1;
      ids.push(id);
      verbs.push(0);
      sequenceStarts.push(sequence.length);
      method = httpMethod;
      nameTerms = [];
      for (const key of keysOf(toolNames)) {
        const holders = names.get(key);
        if (holders) holders.push(tool);
        else names.set(key, [tool]);
      }
    },
    add(field, text) {
      const weight = FIELDS.get(field);
      if (weight === undefined) return;
      const terms = analyze(text);
      const tool = documents.length - 1;
      if (field === "name") nameTerms = terms;
      if (field === "summary") verbs[tool] = toolVerb(nameTerms, method, terms);
      const { boost, lengthWeight, termsUsual } = weight;
      const part = boost / (1 - lengthWeight + (lengthWeight * terms.length) / termsUsual);
      for (const term of terms) {
        let row = postings.get(term);
        if (row === undefined) {
          postings.set(term, row = { number: postings.size, tools: [], weights: [] });
        }
        if (SEQUENCE_FIELDS.has(field)) sequence.push(row.number);
        const last = row.tools.length - 1;
        if (row.tools[last] === tool) row.weights[last] = (row.weights[last] ?? 0) + part;
        else row.weights[row.tools.push(tool) - 1] = part;
      }
      if (SEQUENCE_FIELDS.has(field)) sequence.push(BREAK);
    },
    async seal(giveWay) {
      return {
        server,
        ...await packPostings(postings, giveWay),
        documents: Uint32Array.from(documents),
        ids,
        verbs: Uint8Array.from(verbs),
        sequence: Uint32Array.from(sequence),
        sequenceStarts: Uint32Array.from([...sequenceStarts, sequence.length]),
        names,
      };
    },
  };
}

interface Row {
  readonly number: number;
  readonly tools: number[];
  readonly weights: number[];
}

const ROWS_PER_PIECE = 256;

async function packPostings(
  postings: ReadonlyMap<string, Row>,
  giveWay: () => Promise<void>,
): Promise<Pick<Segment, "terms" | "starts" | "tools" | "weights">> {
  let count = 0;
  for (const row of postings.values()) count += row.tools.length;
  const terms: string[] = [];
  const starts = new Uint32Array(postings.size + 1);
  const tools = new Uint32Array(count);
  const weights = new Float32Array(count);
  let at = 0;
  for (const [term, row] of postings) {
    if (terms.length % ROWS_PER_PIECE === 0) await giveWay();
    starts[terms.push(term) - 1] = at;
    tools.set(row.tools, at);
    // Saturated here once, because the result is the same for every query.
    for (const weight of row.weights) {
      weights[at++] = (weight * (SATURATION + 1)) / (SATURATION + weight);
    }
  }
  starts[terms.length] = at;
  return { terms, starts, tools, weights };
}
