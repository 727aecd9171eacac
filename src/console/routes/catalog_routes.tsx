import type { Context, Hono } from "hono";
import type { ToolDiff } from "../../catalog/diff_definition.ts";
import { PinMismatch } from "../../catalog/pin_mismatch.ts";
import { GateError } from "../../model/errors.ts";
import type { Principal } from "../../model/principal.ts";
import type { CatalogListing } from "../../operations/catalog.ts";
import type { ConsoleEnv } from "../console_session.ts";
import { page, readForm, readQuery, type RouteKit } from "../page_context.tsx";
import { CatalogPage } from "../pages/catalog_page.tsx";
import { ToolNotFound, ToolPage, type ToolPageProps } from "../pages/tool_page.tsx";
import { toolHref } from "../view/tool_href.ts";

/** Routes that show servers and tools, and approve and block tools. */
export function addCatalogRoutes(app: Hono<ConsoleEnv>, kit: RouteKit): void {
  const { needing } = kit;
  app.get("/catalog", needing("search", (...visit) => showCatalog(kit, ...visit)));
  app.get(
    "/catalog/tool",
    needing("search", (context, principal) => {
      const field = readQuery(context);
      const server = field("server").slice(0, SERVER_CHARACTERS_MAX);
      const name = field("name").slice(0, NAME_CHARACTERS_MAX);
      return showTool(kit, context, principal, { server, name, refused: null });
    }),
  );
  app.post("/catalog/decide", needing("admin", (...visit) => decide(kit, ...visit)));
}

async function showCatalog(
  { deps, shellOf }: RouteKit,
  context: Context<ConsoleEnv>,
  principal: Principal,
): Promise<Response> {
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
}

async function showTool(
  { deps, shellOf }: RouteKit,
  context: Context<ConsoleEnv>,
  principal: Principal,
  asked: Pick<ToolPageProps, "server" | "name" | "refused">,
): Promise<Response> {
  const { server, name, refused } = asked;
  const isAdmin = principal.scopes.includes("admin");
  const listing = await deps.tools(principal);
  const diff = isAdmin ? await diffOf(() => deps.diff(server, name)) : null;
  const entry = listing.tools.find(({ tool }) =>
    tool.server === server && tool.name === name &&
    // Show only the definition that the operator decides about.
    (diff === null || tool.pin === diff.pin)
  ) ?? null;
  const props: ToolPageProps = {
    ...asked,
    shell: shellOf(context),
    entry,
    declaration: entry === null ? null : deps.declareTool(entry.tool),
    diff,
    problem: problemOf(listing, server, name),
  };
  const isKnown = entry !== null || diff !== null || props.problem !== null;
  return isKnown
    ? await page(context, <ToolPage {...props} />, refused === null ? 200 : 409)
    : await page(context, <ToolNotFound {...props} />, 404);
}

/** Decides about the definition in the form; if the definition has changed, shows the new one. */
async function decide(
  kit: RouteKit,
  context: Context<ConsoleEnv>,
  principal: Principal,
): Promise<Response> {
  const field = await readForm(context);
  const [server, name, pin] = [field("server"), field("name"), field("pin")];
  const verb = VERBS.find((known) => known === field("decision"));
  if (verb === undefined || pin === "") {
    throw new GateError("ERR_BAD_REQUEST", "Cannot decide: the form is not one of the catalog", {
      hint: "Open the tool, read it, and use the buttons of its page",
    });
  }
  try {
    await kit.deps.decideTool(principal, { verb, server, name, pin });
  } catch (error) {
    if (!(error instanceof PinMismatch)) throw error;
    const refused = `It has changed since you opened this page: nothing was ${DONE[verb]}. ` +
      "Below is what it is now.";
    return await showTool(kit, context, principal, { server, name, refused });
  }
  return context.redirect(toolHref(server, name), 303);
}

const VERBS = ["approve", "block"] as const;
const DONE = { approve: "approved", block: "blocked" } as const;
const SERVER_CHARACTERS_MAX = 200;
/** A resource's name is its URI. */
const NAME_CHARACTERS_MAX = 1_100;

/** The page also works for a server that is not configured and so has no diffs. */
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
