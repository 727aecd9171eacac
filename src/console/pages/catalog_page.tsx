import type { DownReport, QuarantinedTool, ServerState } from "../../model/catalog.ts";
import type { CatalogListing, CatalogTool } from "../../operations/catalog.ts";
import { formatAgo, formatCount, formatMs } from "../format.ts";
import { Hostile, VisibleText } from "../view/hostile.tsx";
import { Page, type Shell } from "../view/layout.tsx";
import {
  AccessBadge,
  Digest,
  EffectBadge,
  EmptyState,
  Heading,
  StatusBadge,
  TableFrame,
  Time,
} from "../view/parts.tsx";
import { makeVisible } from "../visible_text.ts";
import { PageLinks } from "../view/page_links.tsx";
import { toolHref } from "../view/tool_href.ts";

export interface CatalogPageProps {
  readonly shell: Shell;
  readonly listing: CatalogListing;
  readonly isAdmin: boolean;
  readonly filter: CatalogFilter;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface CatalogFilter {
  readonly text: string;
  readonly server: string;
  /** 0-based. */
  readonly page: number;
}

const TOOLS_PER_PAGE = 100;
const WAITING_MAX = 200;

export function CatalogPage(props: CatalogPageProps) {
  const { shell, listing, isAdmin, now } = props;
  return (
    <Page shell={shell} title="Catalog" section="catalog">
      <Heading
        title="Catalog"
        about={isAdmin
          ? "Every tool of every server, as it was approved."
          : "The tools that you may use."}
      />
      {listing.servers.length === 0 ? <NoServers isAdmin={isAdmin} /> : (
        <>
          {listing.quarantined.length === 0 ? null : <Waiting quarantined={listing.quarantined} />}
          <Servers servers={listing.servers} now={now} />
          <Tools {...props} />
        </>
      )}
    </Page>
  );
}

function NoServers({ isAdmin }: { isAdmin: boolean }) {
  return (
    <EmptyState title="No servers">
      {isAdmin
        ? (
          <>
            <p>
              Add upstream servers to <code>toolgate.yaml</code>, or import those of another client:
            </p>
            <pre class="snippet"><code>toolgate import claude_desktop_config.json</code></pre>
          </>
        )
        : <p>The policy opens no tool to you. An administrator can change that.</p>}
    </EmptyState>
  );
}

function Waiting({ quarantined }: { quarantined: readonly QuarantinedTool[] }) {
  return (
    <section aria-labelledby="waiting" class="attention">
      <h2 id="waiting">
        Waiting for you <span class="count">{quarantined.length}</span>
      </h2>
      <p class="about">
        These tools are listed by their servers, but cannot be called until somebody has read and
        approved them.
      </p>
      <TableFrame label="Tools that wait">
        <table class="stack">
          <thead>
            <tr>
              <th scope="col">Tool</th>
              <th scope="col">Why</th>
              <th scope="col" class="middle">Detail</th>
              <th scope="col">
                <span class="unseen">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {quarantined.slice(0, WAITING_MAX).map(({ server, name, reason, detail }) => (
              <tr>
                <td>
                  <a href={toolHref(server, name)}>
                    <code>
                      <Hostile text={`${server}.${name}`} max={120} />
                    </code>
                  </a>
                </td>
                <td>
                  <StatusBadge status={reason} />
                </td>
                <td class="middle">
                  <Hostile text={detail} max={200} />
                </td>
                <td class="row-actions">
                  {reason === "malformed" || reason === "collision"
                    ? null
                    : (
                      <a class="button" href={toolHref(server, name)}>
                        Review<span class="unseen">{makeVisible(`${server}.${name}`)}</span>
                      </a>
                    )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
      {quarantined.length > WAITING_MAX
        ? (
          <p class="after-table">
            {formatCount(quarantined.length - WAITING_MAX)}{" "}
            more: read and approve those of one server with{" "}
            <code>toolgate tools approve "SERVER.*"</code>.
          </p>
        )
        : null}
    </section>
  );
}

function Servers({ servers, now }: { servers: readonly ServerState[]; now: number }) {
  return (
    <section aria-labelledby="servers">
      <h2 id="servers">
        Servers <span class="count">{servers.length}</span>
      </h2>
      <ul class="cards">
        {servers.map((server) => (
          <li class="card">
            <p class="card-head">
              <a href={`/console/catalog?${new URLSearchParams({ server: server.server })}#tools`}>
                <Hostile text={server.server} max={60} />
              </a>
              <StatusBadge status={server.status} />
            </p>
            {server.title === server.server ? null : (
              <p class="card-title">
                <Hostile text={server.title} max={100} />
              </p>
            )}
            <p class="quiet">
              {formatCount(server.toolCount)} {server.toolCount === 1 ? "tool" : "tools"}
              {server.listedAt === null ? null : `, listed ${formatAgo(now - server.listedAt)}`}
            </p>
            {server.error === null ? null : (
              <p class="card-error">
                <Hostile text={server.error} max={500} />
              </p>
            )}
            {server.down === undefined ? null : <Down down={server.down} now={now} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

/**
 * Details of a server that is down: since when, the next attempt, the last lines of its process.
 */
function Down({ down, now }: { down: DownReport; now: number }) {
  const { since, retryAt, exit, stderr } = down;
  return (
    <>
      <p class="quiet">
        Down since <Time ms={since} /> UTC
        {exit === null ? null : `, ended with ${makeVisible(exit)}`}
        {retryAt === null
          ? "; not tried again by itself"
          : retryAt > now
          ? `; tried again in ${formatMs(retryAt - now)}`
          : "; being tried again"}
      </p>
      {stderr.length === 0 ? null : (
        <details>
          <summary>Last {stderr.length} lines of its standard error</summary>
          <div class="payload" role="group" aria-label="Standard error" tabindex={0}>
            <pre><code><VisibleText text={stderr.join("\n")} /></code></pre>
          </div>
        </details>
      )}
    </>
  );
}

function Tools({ listing, filter, isAdmin }: CatalogPageProps) {
  const found = listing.tools.filter((entry) => isWanted(entry, filter));
  const from = filter.page * TOOLS_PER_PAGE;
  const shown = found.slice(from, from + TOOLS_PER_PAGE);
  return (
    <section aria-labelledby="tools" id="tools-section">
      <h2 id="tools">
        Tools <span class="count">{formatCount(found.length)}</span>
      </h2>
      <form method="get" action="/console/catalog" class="filters" role="search">
        <div class="field grow">
          <label for="text">Name or description</label>
          <input id="text" name="text" type="search" value={filter.text} maxlength={200} />
        </div>
        <div class="field">
          <label for="server">Server</label>
          <select id="server" name="server">
            <option value="">All</option>
            {listing.servers.map(({ server }) => (
              <option value={server} selected={server === filter.server}>
                {makeVisible(server)}
              </option>
            ))}
          </select>
        </div>
        <button type="submit">Show</button>
      </form>
      {shown.length === 0
        ? (
          <EmptyState title="No tool fits">
            <p>
              Try fewer letters, or <a href="/console/catalog">show all</a>.
            </p>
          </EmptyState>
        )
        : <ToolTable tools={shown} />}
      <PageLinks
        path="/console/catalog"
        query={{ text: filter.text, server: filter.server }}
        page={filter.page}
        pages={Math.ceil(found.length / TOOLS_PER_PAGE)}
      />
      {isAdmin ? null : <p class="quiet">Tools that you may not use are not listed.</p>}
    </section>
  );
}

function ToolTable({ tools }: { tools: readonly CatalogTool[] }) {
  return (
    <TableFrame label="Tools">
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">Tool</th>
            <th scope="col">Class</th>
            <th scope="col">For you</th>
            <th scope="col" class="middle">Description</th>
            <th scope="col" class="middle">Pin</th>
          </tr>
        </thead>
        <tbody>
          {tools.map(({ tool, access, effect }) => (
            <tr>
              <td>
                <a href={toolHref(tool.server, tool.name)}>
                  <code>
                    <Hostile text={tool.id} max={120} />
                  </code>
                </a>
              </td>
              <td>
                <AccessBadge access={access} />
              </td>
              <td>
                <EffectBadge effect={effect} />
              </td>
              <td class="middle description">
                <Hostile text={firstSentence(tool.description)} max={160} />
              </td>
              <td class="middle">
                <Digest hash={tool.pin} characters={8} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function isWanted({ tool }: CatalogTool, { text, server }: CatalogFilter): boolean {
  if (server !== "" && tool.server !== server) return false;
  if (text === "") return true;
  const wanted = text.toLowerCase();
  return tool.id.toLowerCase().includes(wanted) || tool.title.toLowerCase().includes(wanted) ||
    tool.description.toLowerCase().includes(wanted);
}

function firstSentence(text: string): string {
  const line = text.trimStart().split("\n", 1)[0] ?? "";
  const end = line.search(/[.!?](\s|$)/);
  return end < 0 ? line : line.slice(0, end + 1);
}
