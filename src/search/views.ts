import type { Visibility } from "../model/decision.ts";
import type { Tool } from "../model/tool.ts";
import type { SegmentView, View } from "./scoring.ts";
import type { Segment } from "./segment.ts";

/** What a caller may see of a tool. Null hides the tool: it then does not change any answer. */
export type Visible = (tool: Tool) => Visibility | null;

/** Asks which tools a caller may see, and keeps the answers of each function. */
export interface Views {
  of(
    segments: Iterable<Segment>,
    tools: ReadonlyMap<string, Tool>,
    visible: Visible,
  ): View;
}

export function createViews(): Views {
  // Keyed by the function itself, not by a name: answers for another catalog or policy can never be
  // taken for these.
  const known = new WeakMap<Visible, Map<Segment, SegmentView>>();
  return {
    of(segments, tools, visible) {
      const before = known.get(visible);
      const view = new Map<Segment, SegmentView>();
      for (const segment of segments) {
        view.set(segment, before?.get(segment) ?? look(segment, tools, visible));
      }
      known.set(visible, view);
      return view;
    },
  };
}

function look(
  segment: Segment,
  tools: ReadonlyMap<string, Tool>,
  visible: Visible,
): SegmentView {
  const codes = new Uint8Array(segment.ids.length);
  let count = 0;
  for (const [index, id] of segment.ids.entries()) {
    const tool = tools.get(id);
    if (tool === undefined || visible(tool) === null) continue;
    codes[index] = 1;
    count++;
  }
  return { codes, count };
}
