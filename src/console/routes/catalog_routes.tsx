import type { Hono } from "hono";
import { GateError } from "../../model/errors.ts";
import type { ToolDiff } from "../../catalog/diff_definition.ts";
import type { CatalogListing } from "../console_deps.ts";
import type { ConsoleEnv } from "../console_session.ts";
import { page, readForm, readQuery, type RouteKit, safeNext } from "../page_context.tsx";
import { CatalogPage } from "../pages/catalog_page.tsx";
import { ToolNotFound, ToolPage, type ToolPageProps } from "../pages/tool_page.tsx";

/** Servers and tools; approving and blocking them. */
export function addCatalogRoutes(
  app: Hono<ConsoleEnv>,
  { deps, shellOf, needing }: RouteKit,
): void {
  app.get(
    "/catalog",
    needing("search", async (context, principal) => {
      const field = readQuery(context);
      return await page(
        context,
        <CatalogPage
          shell={shellOf(context)}
          listing={await deps.tools(principal)}
          isAdmin={principal.scopes.includes("admin")}
          filter={{
            text: field("text").trim().slice(0, 200),
            server: field("server").slice(0, 200),
            page: pageNumber(field("page")),
          }}
          now={deps.now()}
        />,
      );
    }),
  );
  app.get(
    "/catalog/tool",
    needing("search", async (context, principal) => {
      const field = readQuery(context);
      const server = field("server").slice(0, 200);
      const name = field("name").slice(0, 500);
      const isAdmin = principal.scopes.includes("admin");
      const listing = await deps.tools(principal);
      const entry = listing.tools.find(({ tool }) =>
        tool.server === server && tool.name === name
      ) ??
        null;
      const diff = isAdmin ? await diffOf(() => deps.diff(server, name)) : null;
      const props: ToolPageProps = {
        shell: shellOf(context),
        server,
        name,
        entry,
        declaration: entry === null ? null : deps.declareTool(entry.tool),
        diff,
        problem: problemOf(listing, server, name),
      };
      const isKnown = entry !== null || diff !== null || props.problem !== null;
      return isKnown
        ? await page(context, <ToolPage {...props} />)
        : await page(context, <ToolNotFound {...props} />, 404);
    }),
  );
  app.post(
    "/catalog/decide",
    needing("admin", async (context, principal) => {
      const field = await readForm(context);
      const decision = field("decision");
      if (decision === "approve") await deps.approve(principal, field("server"), field("name"));
      else if (decision === "block") await deps.block(principal, field("server"), field("name"));
      else {
        throw new GateError("ERR_BAD_REQUEST", "Cannot decide: neither approve nor block", {
          hint: "Use the buttons of the catalog",
        });
      }
      return context.redirect(safeNext(field("next")), 303);
    }),
  );
}

/** A server that is not configured has no diffs; that is no failure of the page. */
async function diffOf(diff: () => Promise<ToolDiff | null>): Promise<ToolDiff | null> {
  try {
    return await diff();
  } catch (error) {
    if (error instanceof GateError && error.code === "ERR_NOT_FOUND") return null;
    throw error;
  }
}

function problemOf(listing: CatalogListing, server: string, name: string): string | null {
  const entry = listing.quarantined.find((one) => one.server === server && one.name === name);
  return entry?.detail ?? null;
}

function pageNumber(text: string): number {
  return /^\d{1,5}$/.test(text) ? Number(text) : 0;
}
