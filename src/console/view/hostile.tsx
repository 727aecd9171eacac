import { splitVisible } from "../visible_text.ts";

const CHARACTERS_MAX = 2_000;

/**
 * Untrusted text: a tool's name, an argument, a program.
 *
 * It is escaped like all text, isolated so that its writing direction does not affect the page, and
 * its invisible characters are made visible. Longer text is cut, and the view says so.
 */
export function Hostile({ text, max = CHARACTERS_MAX }: { text: string; max?: number }) {
  const shown = text.length > max ? text.slice(0, max) : text;
  return (
    <bdi>
      <VisibleText text={shown} />
      {text.length > max ? <span class="cut">… {text.length - max} more characters</span> : null}
    </bdi>
  );
}

/** `server.tool`; a long name breaks after the dot. */
export function ToolName({ name, max = 120 }: { name: string; max?: number }) {
  const dot = name.indexOf(".") + 1;
  return (
    <code class="tool-name">
      <Hostile text={name.slice(0, dot)} max={max} />
      <wbr />
      <Hostile text={name.slice(dot)} max={max} />
    </code>
  );
}

/** Like `Hostile`, but without a box and never cut. */
export function VisibleText({ text }: { text: string }) {
  return (
    <>
      {splitVisible(text).map((part) =>
        part.kind === "text" ? part.text : <span class="invisible">{part.text}</span>
      )}
    </>
  );
}
