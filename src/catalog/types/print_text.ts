import { cleanLine, withoutTags } from "../clean_text.ts";

/**
 * Writes an upstream's text as TypeScript source: in a comment it cannot end the comment, steer the
 * compiler or close the Markdown fence around it; in a literal it cannot hide a character.
 */

/** Tags that could make a model believe that the text after them has another author. */
const FRAMING =
  /<(\/?(?:system|important|instructions?|assistant|human|critical|secret|admin|tools?|tool_\w+|functions?|function_\w+)\b[^<>]*)>/gi;

/** Text for the inside of a block comment or after `//`, on one line. */
export function commentText(text: string, charsMax: number): string {
  return cleanLine(withoutTags(text.slice(0, charsMax * 8)), charsMax)
    .replace(FRAMING, "($1)")
    .replaceAll("<|", "< |")
    .replaceAll("*/", "* /")
    .replaceAll("`", "'")
    .replace(/@(?=ts-|jsx)/gi, "@ ");
}

/** A doc comment on one line, or nothing for an empty text. */
export function docComment(text: string, charsMax: number): string {
  const line = commentText(text, charsMax);
  return line === "" ? "" : `/** ${line} */`;
}

/** A string literal in which every character that does not render as itself is escaped. */
export function stringLiteral(text: string): string {
  return JSON.stringify(text.toWellFormed())
    .replace(/[`\u007f-\u00a0\u00ad]|\p{Cf}|\p{Zl}|\p{Zp}|\p{Co}|\p{Cn}|[\ufe00-\ufe0f]/gu, escape);
}

function escape(character: string): string {
  return [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
    .join("");
}
