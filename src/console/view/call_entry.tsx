import type { TimelineCall } from "../execution_timeline.ts";
import { formatBytes, formatMs, formatUsd } from "../format.ts";
import { makeVisible } from "../visible_text.ts";
import { Hostile } from "./hostile.tsx";
import { AccessBadge, EffectBadge, ErrorCode, Reasons, StatusBadge } from "./parts.tsx";
import { Payload } from "./payload.tsx";

interface CallEntryProps {
  readonly call: TimelineCall;
  /** Duration of the execution. */
  readonly totalMs: number;
  readonly isAuditor: boolean;
  /** The program's line that made the call; null if not certain. */
  readonly line: number | null;
  /** Null: the reader may not ask, or there is nothing to explain. */
  readonly explainHref: string | null;
  /** True to show the details opened. */
  readonly isOpen: boolean;
  /** Link to a page that shows the payloads, if this one does not. */
  readonly openHref: string;
}

/** One call: its tool, decision, reasons, time and cost. */
export function CallEntry(props: CallEntryProps) {
  const { call, totalMs, line, explainHref, isOpen } = props;
  return (
    <li class={`call is-${call.effect}`} id={`call-${call.index}`}>
      <div class="call-head">
        <code class="call-name">
          <Hostile text={`${call.server}.${call.name}`} max={120} />
        </code>
        <AccessBadge access={call.access} />
        {call.effect === "running"
          ? <StatusBadge status="running" />
          : <EffectBadge effect={call.effect} />}
        <span class="call-time">{call.ms === null ? "" : formatMs(call.ms)}</span>
      </div>
      <Bar call={call} totalMs={totalMs} />
      <p class="because">
        <Why call={call} />
        {line === null ? null : (
          <>
            {" · "}
            <a href={`#line-${line}`}>line {line}</a>
          </>
        )}
        {explainHref === null || call.server === "" ? null : (
          <>
            {" · "}
            <a href={explainHref}>
              explain<span class="unseen">call {call.index + 1}</span>
            </a>
          </>
        )}
      </p>
      {call.error == null ? null : (
        <p class="call-error">
          <ErrorCode code={call.error.code} /> <Hostile text={call.error.message} />
          {call.error.hint === undefined || call.error.message.includes(call.error.hint)
            ? null
            : (
              <span class="note">
                <Hostile text={call.error.hint} max={500} />
              </span>
            )}
        </p>
      )}
      <details open={isOpen}>
        <summary>
          Details<span class="unseen">of call {call.index + 1}</span>
        </summary>
        <Details {...props} />
      </details>
    </li>
  );
}

/** When the call ran within the execution, and how much of it the upstream took. */
function Bar({ call, totalMs }: { call: TimelineCall; totalMs: number }) {
  const percent = (ms: number) => totalMs <= 0 ? 0 : Math.min(100, ms / totalMs * 100);
  const left = percent(call.offsetMs);
  const width = Math.min(100 - left, Math.max(0.6, percent(call.ms ?? totalMs - call.offsetMs)));
  const upstream = Math.min(width, percent(call.upstreamMs ?? 0));
  return (
    <svg
      class="bar-track"
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      width="100%"
      height="6"
      aria-hidden="true"
    >
      <rect class="bar-whole" x={left.toFixed(2)} y="0" width={width.toFixed(2)} height="4" />
      <rect
        class="bar-upstream"
        x={(left + width - upstream).toFixed(2)}
        y="0"
        width={upstream.toFixed(2)}
        height="4"
      />
    </svg>
  );
}

/** The reasons of a call, the decisive one first. */
function Why({ call }: { call: TimelineCall }) {
  return (
    <>
      {call.reasons.length === 0
        ? <span>{call.effect === "allow" ? "no rule was needed" : "no rule decided"}</span>
        : <Reasons reasons={call.reasons} />}
      {call.observed === null ? null : <>, would be {makeVisible(call.observed)} if enforced</>}
    </>
  );
}

function Details({ call, isAuditor, openHref }: CallEntryProps) {
  return (
    <>
      <dl class="facts">
        <Fact name="Began" value={`+${formatMs(call.offsetMs)}`} />
        <Fact name="Deciding" value={call.policyMs === null ? null : formatMs(call.policyMs)} />
        <Fact name="Upstream" value={call.upstreamMs === null ? null : formatMs(call.upstreamMs)} />
        <Fact
          name="Waited for a person"
          value={call.waitHumanMs === null ? null : formatMs(call.waitHumanMs)}
        />
        <Fact name="Cost" value={call.cost === 0 ? null : formatUsd(call.cost)} />
        <Fact name="Credential" value={call.credential} />
        <Fact name="Approval" value={call.approval} />
        <Fact name="Limit" value={call.limit} />
        <Fact name="Redacted" value={call.redactions === 0 ? null : String(call.redactions)} />
        <Fact
          name="Result"
          value={call.resultBytes === null ? null : formatBytes(call.resultBytes)}
        />
      </dl>
      {call.isUnopened
        ? (
          <p>
            <a href={openHref}>Open arguments and result</a>
          </p>
        )
        : <Payloads call={call} isAuditor={isAuditor} />}
    </>
  );
}

function Payloads({ call, isAuditor }: Pick<CallEntryProps, "call" | "isAuditor">) {
  return (
    <>
      <h3>Arguments</h3>
      {call.cutArgs === null ? null : (
        <p>
          Cut, because the call was refused: {call.cutArgs.bytes} bytes, sha256{" "}
          <code>{call.cutArgs.sha256}</code>. This is how they begin.
        </p>
      )}
      <Payload
        text={call.argsText ?? call.cutArgs?.head ?? null}
        bytes={call.argsBytes}
        isAuditor={isAuditor}
        label="Arguments"
        nothing="There are none."
        missing="They were not recorded."
      />
      <h3>Result</h3>
      <Payload
        text={call.resultText}
        bytes={call.resultBytes}
        isAuditor={isAuditor}
        label="Result"
        nothing={noResult(call)}
        missing={noResult(call)}
      />
    </>
  );
}

/** Why the entry shows no result. */
function noResult({ effect, status }: TimelineCall): string {
  if (effect === "running") return "There is none yet.";
  if (effect === "allow" || effect === "planned") return "It answered nothing.";
  if (effect === "unknown") return "Nobody knows: the call may have happened.";
  return `There is none: the call ended with ${status ?? effect}.`;
}

function Fact({ name, value }: { name: string; value: string | null }) {
  if (value === null || value === "") return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Hostile text={value} max={200} />
      </dd>
    </div>
  );
}
