import type { ToolDiff } from "../../catalog/diff_definition.ts";
import type { CatalogTool } from "../../operations/catalog.ts";
import { CatalogActions } from "../view/catalog_actions.tsx";
import { CodeView } from "../view/code_view.tsx";
import { DefinitionView } from "../view/definition_view.tsx";
import { Hostile, VisibleText } from "../view/hostile.tsx";
import { makeVisible } from "../visible_text.ts";
import { Page, type Shell } from "../view/layout.tsx";
import {
  AccessBadge,
  EffectBadge,
  EmptyState,
  Heading,
  StatusBadge,
  TableFrame,
} from "../view/parts.tsx";

export interface ToolPageProps {
  readonly shell: Shell;
  readonly server: string;
  readonly name: string;
  /** Null: the tool cannot be called, so it has no declaration. */
  readonly entry: CatalogTool | null;
  readonly declaration: string | null;
  /** Null without scope `admin`. */
  readonly diff: ToolDiff | null;
  /** Why the tool cannot be called; null if it can. */
  readonly problem: string | null;
  /** Why the decision that was just sent was refused; null if it was not. */
  readonly refused: string | null;
}

const SCHEMA_CHARACTERS_MAX = 20_000;

/** One tool: its definition, what agents see, what was approved and what changed since. */
export function ToolPage(props: ToolPageProps) {
  const { shell, server, name, entry, declaration, diff, problem, refused } = props;
  return (
    <Page shell={shell} title={`${server}.${name}`} section="catalog">
      <p class="crumbs">
        <a href="/console/catalog">Catalog</a>
        {" / "}
        <a href={`/console/catalog?${new URLSearchParams({ server })}#tools`}>
          <Hostile text={server} max={60} />
        </a>
      </p>
      <Heading
        title={
          <code class="title">
            <Hostile text={`${server}.${name}`} max={120} />
          </code>
        }
        about={entry === null || entry.tool.title === "" || entry.tool.title === name
          ? undefined
          : <Hostile text={entry.tool.title} max={200} />}
      >
        {diff === null ? null : <CatalogActions shell={shell} diff={diff} />}
      </Heading>
      {refused === null ? null : (
        <div class="notice tone-bad" role="alert">
          <p>{refused}</p>
        </div>
      )}
      <Badges entry={entry} diff={diff} />
      {problem === null ? null : (
        <div class="notice tone-warn">
          <p>
            <Hostile text={problem} />
          </p>
        </div>
      )}
      {diff === null ? null : (
        <>
          <Change diff={diff} />
          <DefinitionView definition={diff.definition} isOpen={diff.state !== "approved"} />
        </>
      )}
      {entry === null
        ? null
        : <UseOf entry={entry} declaration={declaration} isDefined={diff !== null} />}
    </Page>
  );
}

function Badges({ entry, diff }: Pick<ToolPageProps, "entry" | "diff">) {
  const claims = Object.entries(entry?.tool.hints ?? {}).filter(([, value]) => value === true);
  return (
    <p class="badges">
      {diff === null ? null : <StatusBadge status={diff.state} />}
      {entry === null ? null : (
        <>
          <AccessBadge access={entry.access} />
          <EffectBadge effect={entry.effect} />
        </>
      )}
      {claims.map(([hint]) => <span class="badge tone-calm">says it is {HINTS[hint] ?? hint}
      </span>)}
    </p>
  );
}

interface UseOfProps {
  readonly entry: CatalogTool;
  readonly declaration: string | null;
  /** True if the page already shows the whole definition. */
  readonly isDefined: boolean;
}

/** A tool as its users see it. */
function UseOf({ entry: { tool }, declaration, isDefined }: UseOfProps) {
  return (
    <>
      {isDefined || tool.description === "" ? null : (
        <section aria-labelledby="description">
          <h2 id="description">Description</h2>
          <p class="hostile-text">
            <Hostile text={tool.description} max={8_000} />
          </p>
        </section>
      )}
      {declaration === null ? null : (
        <section aria-labelledby="declaration">
          <h2 id="declaration">What programs see</h2>
          <CodeView code={declaration} marks={new Map()} wraps />
        </section>
      )}
      {isDefined ? null : <Schema title="Input schema" schema={tool.inputSchema} />}
      {isDefined || tool.outputSchema === null
        ? null
        : <Schema title="Output schema" schema={tool.outputSchema} />}
      <section aria-labelledby="pin">
        <h2 id="pin">Pin</h2>
        <p class="hash">
          <code>{makeVisible(tool.pin)}</code>
        </p>
        <p class="quiet">SHA-256 of the approved definition. Any change of it stops the tool.</p>
      </section>
    </>
  );
}

const HINTS: { readonly [hint: string]: string } = {
  readOnly: "read-only",
  destructive: "destructive",
  idempotent: "idempotent",
  openWorld: "open to the world",
};

function Change({ diff }: { diff: ToolDiff }) {
  if (diff.state === "approved") return null;
  const isNew = diff.approvedPin === null;
  return (
    <section aria-labelledby="change">
      <h2 id="change">{isNew ? "What it is" : "What changed"}</h2>
      <p>{introductionOf(diff)}</p>
      {isNew || diff.changes.length === 0 ? null : <DiffTable diff={diff} />}
      <dl class="facts">
        <div>
          <dt>Approved pin</dt>
          <dd>
            {diff.approvedPin === null ? "none" : <code>{makeVisible(diff.approvedPin)}</code>}
          </dd>
        </div>
        <div>
          <dt>Pin now</dt>
          <dd>
            <code>{makeVisible(diff.pin)}</code>
          </dd>
        </div>
      </dl>
    </section>
  );
}

function introductionOf(diff: ToolDiff): string {
  if (diff.approvedPin === null) {
    return "It was never approved: its server added it after its first listing. Read all of it before you approve it: agents would act on it.";
  }
  if (diff.changes.length === 0) return "It is what was approved.";
  return diff.change === "cosmetic"
    ? "Only white space, letter case or order differ."
    : "The meaning may differ: read each change before you approve it.";
}

function DiffTable({ diff }: { diff: ToolDiff }) {
  return (
    <TableFrame label="Changes">
      <table class="diff stack">
        <thead>
          <tr>
            <th scope="col">Where</th>
            <th scope="col">Approved</th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>
          {diff.changes.map(({ path, before, after }) => (
            <tr>
              <th scope="row">
                <code>
                  <Hostile text={path} max={Number.POSITIVE_INFINITY} />
                </code>
              </th>
              <td class="before">
                {before === null ? <Nothing /> : (
                  <del>
                    <Value text={before} />
                  </del>
                )}
              </td>
              <td class="after">
                {after === null ? <Nothing /> : (
                  <ins>
                    <Value text={after} />
                  </ins>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

/** The whole value, because a cut could hide the important part. */
function Value({ text }: { text: string }) {
  return <Hostile text={text} max={Number.POSITIVE_INFINITY} />;
}

function Nothing() {
  return <span class="none">nothing</span>;
}

function Schema({ title, schema }: { title: string; schema: unknown }) {
  const text = JSON.stringify(schema, null, 2);
  return (
    <details class="schema">
      <summary>{title}</summary>
      <div class="payload" role="group" aria-label={title} tabindex={0}>
        <pre><code><VisibleText text={text.slice(0, SCHEMA_CHARACTERS_MAX)} /></code></pre>
        {text.length > SCHEMA_CHARACTERS_MAX
          ? (
            <p class="quiet">
              {text.length - SCHEMA_CHARACTERS_MAX} more characters are not shown.
            </p>
          )
          : null}
      </div>
    </details>
  );
}

export function ToolNotFound({ shell, server, name }: ToolPageProps) {
  return (
    <Page shell={shell} title="No such tool" section="catalog">
      <EmptyState title="No such tool">
        <p>
          <code>
            <Hostile text={`${server}.${name}`} max={200} />
          </code>{" "}
          does not exist, or is not open to you. <a href="/console/catalog">See the catalog</a>
        </p>
      </EmptyState>
    </Page>
  );
}
