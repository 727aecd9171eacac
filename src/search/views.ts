import type { Visibility } from "../model/decision.ts";
import type { Tool } from "../model/tool.ts";
import type { SegmentView, View } from "./scoring.ts";
import type { Segment } from "./segment.ts";

/** What a caller may see of a tool; null hides it, and then it changes nothing of any answer. */
export type Visible = (tool: Tool) => Visibility | null;

/**
 * Asks once for each tool what a caller may see, and remembers it per segment.
 *
 * The key names all that the answers depend on (policy, groups, space): with the same key the policy
 * is not asked again, except for the tools of a server that changed.
 */
export interface Views {
  of(
    segments: Iterable<Segment>,
    tools: ReadonlyMap<string, Tool>,
    visible: Visible,
    key: string | null,
  ): View;
}

const VIEWS_MAX = 128;

export function createViews(): Views {
  const known = new Map<string, Map<Segment, SegmentView>>();
  return {
    of(segments, tools, visible, key) {
      const before = (key === null ? undefined : known.get(key)) ?? new Map();
      const view = new Map<Segment, SegmentView>();
      for (const segment of segments) {
        view.set(segment, before.get(segment) ?? look(segment, tools, visible));
      }
      if (key !== null) {
        known.delete(key);
        known.set(key, view);
        const [oldest] = known.keys();
        if (known.size > VIEWS_MAX && oldest !== undefined) known.delete(oldest);
      }
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
