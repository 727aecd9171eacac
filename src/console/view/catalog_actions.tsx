import type { ToolDiff } from "../../catalog/diff_definition.ts";
import { makeVisible } from "../visible_text.ts";
import type { Shell } from "./layout.tsx";
import { FormToken } from "./parts.tsx";

/**
 * The form to approve or block a tool. Only for pages that show the whole definition: the form
 * carries the pin of the shown definition, and decides about that one only.
 */
export function CatalogActions({ shell, diff }: { shell: Shell; diff: ToolDiff }) {
  const { server, name, state, pin } = diff;
  const tool = makeVisible(`${server}.${name}`);
  return (
    <form method="post" action="/console/catalog/decide" class="inline">
      <FormToken token={shell.visit?.formToken ?? ""} />
      <input type="hidden" name="server" value={server} />
      <input type="hidden" name="name" value={name} />
      <input type="hidden" name="pin" value={pin} />
      {state === "approved"
        ? null
        : (
          <button type="submit" name="decision" value="approve" class="primary">
            Approve<span class="unseen">{tool}</span>
          </button>
        )}
      {state === "blocked"
        ? null
        : (
          <button type="submit" name="decision" value="block" class="danger">
            Block<span class="unseen">{tool}</span>
          </button>
        )}
    </form>
  );
}
