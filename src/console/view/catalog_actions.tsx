import { FormToken } from "./parts.tsx";
import type { Shell } from "./layout.tsx";
import { makeVisible } from "../visible_text.ts";
import { toolHref } from "./tool_href.ts";

interface CatalogActionsProps {
  readonly shell: Shell;
  readonly server: string;
  readonly name: string;
  /** `approved`, or why the tool cannot be called. */
  readonly state: string;
  /** Leads to the tool's page first; not on that page itself. */
  readonly canReview?: boolean;
}

/** What an administrator can do with a tool that waits, drifted or is blocked. */
export function CatalogActions(
  { shell, server, name, state, canReview = false }: CatalogActionsProps,
) {
  const tool = makeVisible(`${server}.${name}`);
  return (
    <form method="post" action="/console/catalog/decide" class="inline">
      <FormToken token={shell.visit?.formToken ?? ""} />
      <input type="hidden" name="server" value={server} />
      <input type="hidden" name="name" value={name} />
      <input type="hidden" name="next" value={shell.here} />
      {canReview && state === "drift"
        ? (
          <a class="button" href={toolHref(server, name)}>
            Review<span class="unseen">the change of {tool}</span>
          </a>
        )
        : null}
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
