import type { Child } from "hono/jsx";
import type { Access } from "../../model/tool.ts";
import { formatTime } from "../format.ts";
import type { Reason, ShownEffect } from "../../model/verdict.ts";
import { makeVisible } from "../visible_text.ts";
import { Hostile } from "./hostile.tsx";

const EFFECTS: { readonly [effect in ShownEffect]: string } = {
  allow: "✓",
  planned: "○",
  ask: "?",
  deny: "✕",
  hidden: "∅",
  refused: "⊘",
  failed: "!",
  unknown: "?",
  cancelled: "–",
};

/** What was decided, or became of it: a sign, a word and a colour, so that no one of them is needed. */
export function EffectBadge({ effect }: { effect: string }) {
  const known = Object.hasOwn(EFFECTS, effect);
  return (
    <span class={`badge effect-${known ? effect : "other"}`}>
      <span aria-hidden="true">{known ? EFFECTS[effect as ShownEffect] : "·"}</span>
      {makeVisible(effect)}
    </span>
  );
}

/** Why it became that: rules and limits by their ids. */
export function Reasons({ reasons }: { reasons: readonly Reason[] }) {
  return (
    <>
      {reasons.map(({ kind, text }, index) => (
        <>
          {index > 0 ? ", " : null}
          {kind === "word" ? makeVisible(text) : (
            <>
              {kind}{" "}
              <code>
                <Hostile text={text} max={100} />
              </code>
            </>
          )}
        </>
      ))}
    </>
  );
}

/** How many calls had an effect; short enough for a cell. */
export function EffectCount({ effect, count }: { effect: ShownEffect; count: number }) {
  return (
    <span class={`badge effect-${effect}`} title={`${count} ${effect}`}>
      <span aria-hidden="true">{EFFECTS[effect]}</span>
      {count}
      <span class="unseen">{effect}</span>
    </span>
  );
}

const STATUS_TONES: { readonly [status: string]: string } = {
  ok: "good",
  ready: "good",
  approved: "good",
  running: "live",
  starting: "live",
  planned: "calm",
  error: "bad",
  down: "bad",
  blocked: "bad",
  malformed: "bad",
  collision: "bad",
  denied: "bad",
  timeout: "bad",
  drift: "warn",
  stale: "warn",
  pending: "warn",
  lost: "warn",
  cancelled: "calm",
  approval_required: "warn",
};

/** The state of a thing; what is not known to be fine is not green. */
export function StatusBadge({ status }: { status: string }) {
  if (status.startsWith("ERR_")) return <ErrorCode code={status} />;
  const tone = Object.hasOwn(STATUS_TONES, status) ? STATUS_TONES[status] : "calm";
  return <span class={`badge tone-${tone}`}>{makeVisible(status.replaceAll("_", " "))}</span>;
}

/** As it is spelled everywhere: people search for it. */
export function ErrorCode({ code }: { code: string }) {
  return <code class="error-code">{makeVisible(code)}</code>;
}

export function AccessBadge({ access }: { access: Access | undefined }) {
  return access === undefined ? null : <span class={`access access-${access}`}>{access}</span>;
}

/** A moment, UTC, with its exact form for machines. */
export function Time({ ms }: { ms: number }) {
  return <time datetime={new Date(ms).toISOString()}>{formatTime(ms)}</time>;
}

/** A page's head: what it is, one sentence about it, and what can be done. */
export function Heading(
  { title, about, children }: { title: Child; about?: Child; children?: Child },
) {
  return (
    <div class="heading">
      <div>
        <h1>{title}</h1>
        {about === undefined ? null : <p class="about">{about}</p>}
      </div>
      {children === undefined ? null : <div class="actions">{children}</div>}
    </div>
  );
}

/** What to show where there is nothing, and what to do next. */
export function EmptyState({ title, children }: { title: string; children?: Child }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      <div>{children}</div>
    </div>
  );
}

/** One figure with its name. */
export function Stat(
  { name, value, note }: { name: string; value: string; note?: string | undefined },
) {
  return (
    <div class="stat">
      <dt>{name}</dt>
      <dd>
        {value}
        {note === undefined ? null : <span class="note">{note}</span>}
      </dd>
    </div>
  );
}

/** A table that scrolls inside itself where the screen is narrow. */
export function TableFrame({ label, children }: { label: string; children?: Child }) {
  return (
    <div class="table-frame" role="group" aria-label={label} tabindex={0}>
      {children}
    </div>
  );
}

/** Ids are long: the end tells apart, the whole is in the title. */
export function ShortId({ id }: { id: string }) {
  const short = id.length > 13 ? `…${id.slice(-12)}` : id;
  return <code class="id" title={makeVisible(id)}>{makeVisible(short)}</code>;
}

/** The beginning of a hash; the whole is in the title. */
export function Digest({ hash, characters = 12 }: { hash: string; characters?: number }) {
  return <code class="id" title={makeVisible(hash)}>{makeVisible(hash.slice(0, characters))}</code>;
}

/** The hidden field that proves that a form is ours. */
export function FormToken({ token }: { token: string }) {
  return <input type="hidden" name="token" value={token} />;
}
