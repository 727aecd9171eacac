/** A part of a text: visible text, or one invisible character. */
export type VisiblePart =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "invisible"; readonly text: string };

/**
 * Splits text so that no character in it can hide or reorder the rest.
 *
 * Names such as `U+202E` replace bidirectional controls, zero-width, filler, variation and other
 * characters that no font draws, and control characters except tab and line end.
 *
 * @see Unicode TR 36; "Trojan Source" (CVE-2021-42574)
 */
export function splitVisible(text: string): VisiblePart[] {
  const parts: VisiblePart[] = [];
  let from = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    if (match.index > from) parts.push({ kind: "text", text: text.slice(from, match.index) });
    const code = (match[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    parts.push({ kind: "invisible", text: `U+${code}` });
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ kind: "text", text: text.slice(from) });
  return parts;
}

const INVISIBLE =
  /[\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800\u2028\u2029]|(?![\t\n])\p{Cc}/gu;

/** The same as one text, for places that cannot hold markup. */
export function makeVisible(text: string): string {
  return splitVisible(text).map((part) => part.kind === "text" ? part.text : `⟨${part.text}⟩`)
    .join("");
}
