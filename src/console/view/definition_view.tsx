import type { Definition } from "../../catalog/pin.ts";
import { Hostile, VisibleText } from "./hostile.tsx";

const WHOLE = Number.POSITIVE_INFINITY;

interface DefinitionViewProps {
  readonly definition: Definition;
  /** True if the reader is about to decide: then nothing is folded. */
  readonly isOpen: boolean;
}

/**
 * A tool's whole definition as its server sent it, neither cut nor cleaned. It shows everything
 * that the pin covers, and makes invisible characters visible.
 */
export function DefinitionView({ definition, isOpen }: DefinitionViewProps) {
  const { kind, name, title, description, server, identity, http } = definition;
  return (
    <section aria-labelledby="definition">
      <h2 id="definition">Definition, as received</h2>
      <dl class="facts">
        <Fact term="Kind">{kind}</Fact>
        <Fact term="Name">
          <code>
            <Hostile text={name} max={WHOLE} />
          </code>
        </Fact>
        <Fact term="Title">
          <Text value={title} />
        </Fact>
        {http === undefined ? null : (
          <Fact term="Request">
            <code>
              <Hostile text={`${http.method} ${http.path}`} max={WHOLE} />
            </code>
          </Fact>
        )}
        <Fact term="Server">
          <Hostile text={server} max={WHOLE} />
          {", "}
          <code>
            <Hostile text={identity} max={WHOLE} />
          </code>
        </Fact>
      </dl>
      <h3>Description</h3>
      <p class="hostile-text">
        <Text value={description} />
      </p>
      <JsonPart name="Input schema" value={definition.inputSchema} isOpen={isOpen} />
      <JsonPart name="Output schema" value={definition.outputSchema} isOpen={isOpen} />
      <JsonPart name="Annotations" value={definition.annotations} isOpen={isOpen} />
    </section>
  );
}

function Fact({ term, children }: { term: string; children?: unknown }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A text, or any other value that a server sent instead of a text. */
function Text({ value }: { value: unknown }) {
  if (value === null || value === "") return <span class="none">none</span>;
  return <Hostile text={typeof value === "string" ? value : JSON.stringify(value)} max={WHOLE} />;
}

function JsonPart({ name, value, isOpen }: { name: string; value: unknown; isOpen: boolean }) {
  if (value === null) return null;
  return (
    <details class="schema" open={isOpen}>
      <summary>{name}</summary>
      <div class="payload" role="group" aria-label={name} tabindex={0}>
        <pre><code><VisibleText text={JSON.stringify(value, null, 2)} /></code></pre>
      </div>
    </details>
  );
}
