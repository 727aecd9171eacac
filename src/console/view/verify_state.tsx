import type { AuditChainState, AuditVerifyState } from "../audit_checker.ts";
import { formatAgo, formatCount } from "../format.ts";
import { makeVisible } from "../visible_text.ts";
import { Hostile } from "./hostile.tsx";
import { FormToken } from "./parts.tsx";

interface VerifyStateProps {
  readonly state: AuditVerifyState;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly formToken: string;
}

/** Whether the log is intact. The view reloads itself while a check runs. */
export function VerifyStateView({ state, now, formToken }: VerifyStateProps) {
  const { isChecking, checkedAtMs, chains, writing } = state;
  const refresh = isChecking
    ? {
      "hx-get": "/console/audit/verify",
      "hx-trigger": "every 2s",
      "hx-swap": "outerHTML",
    }
    : {};
  return (
    <section class={`verify tone-${toneOf(state)}`} id="verify" aria-label="Integrity" {...refresh}>
      <div>
        <p class="verify-head">{headlineOf(state)}</p>
        <p class="quiet">
          {checkedAtMs === null
            ? "Not checked since the service started."
            : `Checked ${formatAgo(now - checkedAtMs)}.`} {chains.map(describeChain).join(" ")}
        </p>
        {writing.ok ? null : (
          <p>
            <Hostile text={writing.reason ?? "New records cannot be written."} max={300} />
          </p>
        )}
        {chains.flatMap((chain) =>
          chain.problems
        ).slice(0, 10).map((problem) => (
          <p>
            <Hostile text={problem} max={300} />
          </p>
        ))}
      </div>
      <form method="post" action="/console/audit/verify">
        <FormToken token={formToken} />
        <button type="submit" disabled={isChecking}>
          {isChecking ? "Checking…" : "Verify now"}
        </button>
      </form>
    </section>
  );
}

function toneOf({ checkedAtMs, chains, writing }: AuditVerifyState): string {
  if (!writing.ok || chains.some((chain) => chain.ok === false)) return "bad";
  return checkedAtMs === null ? "calm" : "good";
}

function headlineOf(state: AuditVerifyState): string {
  const { checkedAtMs, chains, writing } = state;
  if (!writing.ok) return "The log cannot be written: calls are refused";
  if (chains.some((chain) => chain.ok === false)) return "The log was changed";
  if (checkedAtMs === null) return "Integrity not checked yet";
  return "The log is whole";
}

function describeChain({ chain, records, signed, anchored, ok }: AuditChainState): string {
  const checked = ok === null
    ? ""
    : `, ${formatCount(signed)} under a signed checkpoint, ${
      formatCount(anchored)
    } anchored outside`;
  return `Chain ${makeVisible(chain)}: ${formatCount(records)} records${checked}.`;
}
