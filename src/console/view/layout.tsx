import type { Child } from "hono/jsx";
import { API_KEYS, type Scope } from "../../model/principal.ts";
import { assetPath } from "../assets.ts";
import { type Theme, THEMES, type Visit } from "../console_session.ts";
import { Icon, type IconName, Mark } from "./icons.tsx";
import { makeVisible } from "../visible_text.ts";
import { Hostile } from "./hostile.tsx";

/** Facts for every page: the visitor, the address and the settings of the visitor. */
export interface Shell {
  /** Null without a login. */
  readonly visit: Visit | null;
  readonly theme: Theme;
  readonly version: string;
  /** Path and query of the page, for the way back. */
  readonly here: string;
}

export type Section = "executions" | "catalog" | "policy" | "usage" | "audit";

interface SectionLink {
  readonly section: Section;
  readonly title: string;
  readonly icon: IconName;
  readonly href: string;
  readonly scope: Scope;
}

/** In the order of the navigation. The first section that a principal may see is its home. */
export const SECTIONS: readonly SectionLink[] = [
  {
    section: "executions",
    title: "Executions",
    icon: "executions",
    href: "/console/executions",
    scope: "audit",
  },
  {
    section: "catalog",
    title: "Catalog",
    icon: "catalog",
    href: "/console/catalog",
    scope: "search",
  },
  { section: "policy", title: "Policy", icon: "policy", href: "/console/policy", scope: "admin" },
  { section: "usage", title: "Usage", icon: "usage", href: "/console/usage", scope: "audit" },
  { section: "audit", title: "Audit", icon: "audit", href: "/console/audit", scope: "audit" },
];

interface PageProps {
  readonly shell: Shell;
  readonly title: string;
  readonly section?: Section;
  /** True to load the chart library. */
  readonly charts?: boolean;
  readonly children?: Child;
}

/** A whole page. */
export function Page({ shell, title, section, charts = false, children }: PageProps) {
  return (
    <html lang="en" data-theme={shell.theme}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content={shell.theme === "system" ? "light dark" : shell.theme} />
        <meta name="robots" content="noindex" />
        <meta
          name="htmx-config"
          content='{"includeIndicatorCSS":false,"extensions":"sse","history":"reload","morphIgnore":["data-htmx-powered","open"]}'
        />
        <title>{makeVisible(`${title} · toolgate`)}</title>
        <link rel="icon" href={assetPath("icon")} type="image/svg+xml" />
        <link rel="stylesheet" href={assetPath("style")} />
        {charts ? <link rel="stylesheet" href={assetPath("chartStyle")} /> : null}
        <script src={assetPath("script")} defer></script>
        {charts ? <script src={assetPath("chartScript")} defer></script> : null}
      </head>
      <body class={shell.visit === null ? "alone" : "with-navigation"}>
        <a class="skip" href="#content">Skip to content</a>
        {shell.visit === null ? null : <Navigation shell={shell} section={section} />}
        <main id="content" tabindex={-1}>{children}</main>
      </body>
    </html>
  );
}

function Navigation({ shell, section }: { shell: Shell; section: Section | undefined }) {
  const scopes = shell.visit?.principal.scopes ?? [];
  return (
    <header class="bar">
      <a class="brand" href="/console">
        <Mark />
        <span>toolgate</span>
      </a>
      <nav aria-label="Sections">
        <ul>
          {SECTIONS.filter((link) => scopes.includes(link.scope)).map((link) => (
            <li>
              <a href={link.href} aria-current={link.section === section ? "page" : undefined}>
                <Icon name={link.icon} />
                <span>{link.title}</span>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <details class="account">
        <summary>
          <span class="avatar" aria-hidden="true">
            {[...(shell.visit?.principal.sub ?? "?")][0]?.toUpperCase()}
          </span>
          <span class="who">
            <Hostile text={shell.visit?.principal.sub ?? ""} />
          </span>
        </summary>
        <Account shell={shell} />
      </details>
    </header>
  );
}

function Account({ shell }: { shell: Shell }) {
  const { visit } = shell;
  if (visit === null) return null;
  const { principal, formToken, sessionId } = visit;
  return (
    <div class="account-menu">
      <dl>
        <dt>Signed in by</dt>
        <dd>
          {sessionId === null
            ? "nobody: authentication is off"
            : principal.issuer === API_KEYS
            ? "API key"
            : <Hostile text={principal.issuer} />}
        </dd>
        <dt>Scopes</dt>
        <dd>
          <Hostile text={principal.scopes.join(", ") || "none"} max={500} />
        </dd>
      </dl>
      <form method="post" action="/console/theme" class="theme">
        <input type="hidden" name="token" value={formToken} />
        <input type="hidden" name="next" value={shell.here} />
        <fieldset>
          <legend>Theme</legend>
          {THEMES.map((theme) => (
            <button
              type="submit"
              name="theme"
              value={theme}
              aria-pressed={theme === shell.theme ? "true" : "false"}
            >
              {theme}
            </button>
          ))}
        </fieldset>
      </form>
      {sessionId === null ? null : (
        <form method="post" action="/console/logout">
          <input type="hidden" name="token" value={formToken} />
          <button type="submit" class="wide">Sign out</button>
        </form>
      )}
      <p class="version">toolgate {shell.version}</p>
    </div>
  );
}
