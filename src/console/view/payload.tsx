import { formatBytes, formatJson } from "../format.ts";
import { VisibleText } from "./hostile.tsx";

const CHARACTERS_MAX = 20_000;

interface PayloadProps {
  /** JSON text; null: not kept, or not for this reader. */
  readonly text: string | null;
  readonly bytes: number | null;
  readonly isAuditor: boolean;
  /** Name of the payload, for screen readers. */
  readonly label: string;
  /** Text for an empty payload. */
  readonly nothing: string;
  /** Text if the log has no payload. */
  readonly missing: string;
}

/** A kept argument or result, or the reason why it cannot be shown. */
export function Payload({ text, bytes, isAuditor, label, nothing, missing }: PayloadProps) {
  if (text !== null) {
    const set = formatJson(text);
    return (
      <div class="payload" role="group" aria-label={label} tabindex={0}>
        <pre><code><VisibleText text={set.slice(0, CHARACTERS_MAX)} /></code></pre>
        {set.length > CHARACTERS_MAX
          ? <p class="quiet">{set.length - CHARACTERS_MAX} more characters are not shown.</p>
          : null}
      </div>
    );
  }
  if (bytes === null || bytes === 0) {
    return <p class="quiet">{bytes === null ? missing : nothing}</p>;
  }
  return (
    <p class="quiet">
      {formatBytes(bytes)}
      {isAuditor ? ", not kept (any more)." : ", for scope auditor only."}
    </p>
  );
}
