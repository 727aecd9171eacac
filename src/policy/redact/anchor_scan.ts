/** A piece of text where a detector starts, with the function to call there. */
export interface Anchor<Context> {
  /** ASCII, at least two characters; in lower case if `ignoreCase` is set. */
  readonly text: string;
  readonly ignoreCase?: boolean;
  /** @param at offset of the anchor in the text. */
  readonly visit: (context: Context, text: string, at: number) => void;
}

/** The most common characters of JSON, logs and English first; characters not listed are rarer. */
const COMMON = 'etaoinsr "lhdcu,:mpf.gwyb/-_0123v4567=89k{}xjqzETAOINSRLHDCUMPFGWYBVKXJQZ@+%';
const PAIRS = 128 * 128;

/**
 * Compiles a search for any number of anchors that reads a text once.
 *
 * The search finds each anchor by its rarest pair of neighbouring characters. It makes one table
 * lookup per character of the text, and compares whole anchors only where such a pair stands. So
 * the cost hardly depends on the number of anchors.
 */
export function compileAnchors<Context>(
  anchors: readonly Anchor<Context>[],
): (context: Context, text: string) => void {
  const slots: Slot<Context>[][] = [[]];
  const table = new Uint8Array(PAIRS);
  for (const anchor of anchors) {
    const offset = rarestPair(anchor.text);
    for (const pair of pairsAt(anchor, offset)) {
      if (table[pair] === 0) table[pair] = slots.push([]) - 1;
      slots[table[pair] ?? 0]?.push(slotOf(anchor, offset));
    }
  }
  if (slots.length > 256) throw new RangeError("Too many pairs of anchors for one table");
  return (context, text) => {
    const { length } = text;
    let before = text.charCodeAt(0) & 127;
    for (let index = 1; index < length; index++) {
      const code = text.charCodeAt(index) & 127;
      const slot = table[before << 7 | code];
      if (slot !== 0) visitSlot(slots[slot as number] ?? [], context, text, index - 1);
      before = code;
    }
  };
}

function visitSlot<Context>(
  slot: readonly Slot<Context>[],
  context: Context,
  text: string,
  pairAt: number,
): void {
  for (let index = 0; index < slot.length; index++) {
    const { anchor, offset, codes, caseBits } = slot[index] as Slot<Context>;
    const at = pairAt - offset;
    if (at >= 0 && stands(text, at, codes, caseBits)) anchor.visit(context, text, at);
  }
}

interface Slot<Context> {
  readonly anchor: Anchor<Context>;
  /** Offset of the pair in the anchor. */
  readonly offset: number;
  /** The characters of the anchor. */
  readonly codes: Uint8Array;
  /** Per character: 32, the bit that differs between letter cases, or 0 if case matters. */
  readonly caseBits: Uint8Array;
}

function slotOf<Context>(anchor: Anchor<Context>, offset: number): Slot<Context> {
  const codes = new TextEncoder().encode(anchor.text);
  const caseBits = codes.map((code) =>
    anchor.ignoreCase === true && code >= 97 && code <= 122 ? 32 : 0
  );
  return { anchor, offset, codes, caseBits };
}

function stands(text: string, at: number, codes: Uint8Array, caseBits: Uint8Array): boolean {
  for (let offset = 0; offset < codes.length; offset++) {
    const caseBit = caseBits[offset] as number;
    if ((text.charCodeAt(at + offset) | caseBit) !== codes[offset]) return false;
  }
  return true;
}

function rarestPair(text: string): number {
  let best = 0;
  let bestScore = -1;
  for (let offset = 0; offset + 1 < text.length; offset++) {
    const score = rarity(text[offset]) + rarity(text[offset + 1]);
    if (score <= bestScore) continue;
    best = offset;
    bestScore = score;
  }
  return best;
}

function rarity(character = ""): number {
  const place = COMMON.indexOf(character);
  return place < 0 ? COMMON.length : place;
}

function pairsAt<Context>({ text, ignoreCase }: Anchor<Context>, offset: number): Set<number> {
  const forms = (character = "") =>
    ignoreCase === true ? [character, character.toUpperCase()] : [character];
  const pairs = new Set<number>();
  for (const first of forms(text[offset])) {
    for (const second of forms(text[offset + 1])) {
      pairs.add((first.charCodeAt(0) & 127) << 7 | second.charCodeAt(0) & 127);
    }
  }
  return pairs;
}
