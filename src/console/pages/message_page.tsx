import type { Child } from "hono/jsx";
import type { Scope } from "../../model/principal.ts";
import { Hostile } from "../view/hostile.tsx";
import { Page, type Shell } from "../view/layout.tsx";

interface MessageProps {
  readonly shell: Shell;
  readonly title: string;
  readonly children?: Child;
}

/** A page with one message. */
export function MessagePage({ shell, title, children }: MessageProps) {
  return (
    <Page shell={shell} title={title}>
      <div class="message">
        <h1>{title}</h1>
        {children}
        <p>
          <a class="button" href="/console">Back to the console</a>
        </p>
      </div>
    </Page>
  );
}

/** Names the missing scope and who can grant it. */
export function ForbiddenPage({ shell, scope }: { shell: Shell; scope: Scope }) {
  const scopes = shell.visit?.principal.scopes ?? [];
  return (
    <MessagePage shell={shell} title="This page needs another scope">
      <p>
        You are <Hostile text={shell.visit?.principal.sub ?? ""} max={100} />, with{" "}
        {scopes.length === 0 ? "no scopes" : `scopes ${scopes.join(", ")}`}. This page needs scope
        {" "}
        <code>{scope}</code>.
      </p>
      <p>An administrator can make a key that has it:</p>
      <pre class="snippet"><code>toolgate keys create --name NAME --scopes {[...scopes, scope].join(",")}</code></pre>
    </MessagePage>
  );
}
