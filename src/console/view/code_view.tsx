import { highlightCode } from "../highlight_code.ts";
import type { LineMark } from "../line_marks.ts";
import { VisibleText } from "./hostile.tsx";

interface CodeViewProps {
  readonly code: string;
  /** By line, 1-based. */
  readonly marks: ReadonlyMap<number, LineMark>;
  /** True to wrap long lines instead of scrolling. */
  readonly wraps?: boolean;
}

const LINES_MAX = 5_000;

/** A coloured program with line numbers and marks. */
export function CodeView({ code, marks, wraps = false }: CodeViewProps) {
  const lines = highlightCode(code.replaceAll("\r\n", "\n").replace(/\n+$/, ""));
  return (
    <div class={wraps ? "code wraps" : "code"} role="group" aria-label="Program" tabindex={0}>
      <ol>
        {lines.slice(0, LINES_MAX).map((line, index) => {
          const mark = marks.get(index + 1);
          return (
            <li id={`line-${index + 1}`} class={mark === undefined ? undefined : `is-${mark.tone}`}>
              <code>
                {line.map((token) =>
                  token.kind === "plain"
                    ? <VisibleText text={token.text} />
                    : (
                      <span class={`t-${token.kind}`}>
                        <VisibleText text={token.text} />
                      </span>
                    )
                )}
              </code>
              {mark === undefined ? null : <Mark mark={mark} />}
            </li>
          );
        })}
      </ol>
      {lines.length > LINES_MAX
        ? <p class="quiet">{lines.length - LINES_MAX} more lines are not shown.</p>
        : null}
    </div>
  );
}

function Mark({ mark }: { mark: LineMark }) {
  return mark.href === null
    ? <span class="line-mark">{mark.label}</span>
    : <a class="line-mark" href={mark.href}>{mark.label}</a>;
}
