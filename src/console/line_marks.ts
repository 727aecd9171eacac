import { SHOWN_EFFECTS } from "../model/verdict.ts";
import type { ExecutionTimeline, TimelineCall } from "./execution_timeline.ts";
import { findCallLines, toolSpelling } from "./highlight_code.ts";

/** The mark of one line of a program. */
export interface LineMark {
  /** The worst effect of its calls; `error`: the program failed here. */
  readonly tone: TimelineCall["effect"] | "error";
  /** Text for the title and for screen readers. */
  readonly label: string;
  /** Link to the details. */
  readonly href: string | null;
}

/** The program's line that made a call; null if that is not certain. */
export type CallLines = (call: Pick<TimelineCall, "server" | "name">) => number | null;

export function callLinesOf(code: string | null): CallLines {
  const lines = code === null ? null : findCallLines(code);
  return ({ server, name }) => lines?.get(toolSpelling(server, name)) ?? null;
}

/**
 * Marks the lines that certainly made the recorded calls, with the number of calls, and the line
 * that failed. Other lines get no mark, because no record says that they ran.
 */
export function markLines(
  { calls, errorLine, truncated }: Pick<ExecutionTimeline, "calls" | "errorLine" | "truncated">,
  lineOf: CallLines,
): ReadonlyMap<number, LineMark> {
  const marks = new Map<number, LineMark>();
  for (const [line, made] of Map.groupBy(calls, lineOf)) {
    const [worst] = made.toSorted((a, b) => severityOf(b.effect) - severityOf(a.effect));
    if (line === null || worst === undefined) continue;
    const label = describeCalls(made, truncated);
    marks.set(line, { tone: worst.effect, label, href: `#call-${worst.index}` });
  }
  if (errorLine !== null) {
    const made = marks.get(errorLine);
    const label = made === undefined ? "error" : `error, ${made.label}`;
    marks.set(errorLine, { tone: "error", label, href: made?.href ?? null });
  }
  return marks;
}

/** `9 calls: 2 failed, 7 allow`. */
function describeCalls(calls: readonly TimelineCall[], truncated: boolean): string {
  const least = truncated ? "at least " : "";
  const count = `${least}${calls.length} ${calls.length === 1 ? "call" : "calls"}`;
  const byEffect = [...Map.groupBy(calls, ({ effect }) => effect)]
    .toSorted(([a], [b]) => severityOf(b) - severityOf(a));
  const [only] = byEffect;
  if (byEffect.length === 1 && only?.[0] === "allow") return count;
  if (byEffect.length === 1) return `${count}: ${only?.[0]}`;
  return `${count}: ${byEffect.map(([effect, of]) => `${of.length} ${effect}`).join(", ")}`;
}

function severityOf(effect: TimelineCall["effect"]): number {
  return effect === "running" ? 0 : SHOWN_EFFECTS.indexOf(effect);
}
