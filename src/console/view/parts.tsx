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

/** An effect as a sign, a word and a colour, so that colour is not needed to understand it. */
export function EffectBadge({ effect }: { effect: string }) {
  const known = Object.hasOwn(EFFECTS, effect);
  return (
    <span class={`badge effect-${known ? effect : "other"}`}>
      <span aria-hidden="true">{known ? EFFECTS[effect as ShownEffect] : "·"}</span>
      {makeVisible(effect)}
    </span>
  );
}

/** The reasons of an outcome: rules and limits by their ids. */
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

/** The number of calls with an effect, short enough for a table cell. */
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

/** A status; only a status known to be good is green. */
export function StatusBadge({ status }: { status: string }) {
  if (status.startsWith("ERR_")) return <ErrorCode code={status} />;
  const tone = Object.hasOwn(STATUS_TONES, status) ? STATUS_TONES[status] : "calm";
  return <span class={`badge tone-${tone}`}>{makeVisible(status.replaceAll("_", " "))}</span>;
}

/** An error code in its exact spelling, because people search for it. */
export function ErrorCode({ code }: { code: string }) {
  return <code class="error-code">{makeVisible(code)}</code>;
}

export function AccessBadge({ access }: { access: Access | undefined }) {
  return access === undefined ? null : <span class={`access access-${access}`}>{access}</span>;
}

/** A moment in UTC, with its exact form for machines. */
export function Time({ ms }: { ms: number }) {
  return <time datetime={new Date(ms).toISOString()}>{formatTime(ms)}</time>;
}

/** A page's head: its title, one sentence about it, and its actions. */
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

/** A text for an empty list, with the next step. */
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

/** A frame in which a table scrolls on narrow screens. */
export function TableFrame({ label, children }: { label: string; children?: Child }) {
  return (
    <div class="table-frame" role="group" aria-label={label} tabindex={0}>
      {children}
    </div>
  );
}

/** The end of an id, which differs most; the title has the whole id. */
export function ShortId({ id }: { id: string }) {
  const short = id.length > 13 ? `…${id.slice(-12)}` : id;
  return <code class="id" title={makeVisible(id)}>{makeVisible(short)}</code>;
}

/** The beginning of a hash; the title has the whole hash. */
export function Digest({ hash, characters = 12 }: { hash: string; characters?: number }) {
  return <code class="id" title={makeVisible(hash)}>{makeVisible(hash.slice(0, characters))}</code>;
}

/** The hidden field that proves that the console made the form. */
export function FormToken({ token }: { token: string }) {
  return <input type="hidden" name="token" value={token} />;
}
