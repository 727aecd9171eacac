/** Smaller jumps of the machine's clock are not reported. */
const JUMP_MS_MIN = 2_000;
/** Speed while the service's clock is ahead, so that the machine's clock can catch up. */
const CATCHING_UP_SPEED = 0.5;
const LOOK_EVERY_MS = 5_000;

export interface ClockStatus {
  /** How far the service's time is ahead of the machine's clock after that was set back. */
  readonly aheadMs: number;
  readonly jumps: number;
  /** Time by the machine's clock after the jump, and its size: negative if set back. */
  readonly lastJump: { readonly at: string; readonly byMs: number } | null;
}

/**
 * The time of day for records, limits and expiry. It never goes back, so a used-up limit or an
 * expired grant never becomes valid again. When the machine's clock is set back, this clock runs at
 * half speed until the machine's clock has caught up. It follows a jump forward at once.
 */
export interface ServiceClock {
  /** Whole milliseconds since the epoch. */
  now(): number;
  status(): ClockStatus;
  /** Stops the regular look at the machine's clock. */
  close(): Promise<void>;
}

export interface ServiceClockDeps {
  /** Milliseconds since the epoch by the machine's clock. */
  readonly wall: () => number;
  /** Milliseconds of a clock that cannot be set. */
  readonly monotonic: () => number;
  /** The earliest time to show: the newest record of an earlier start. */
  readonly floorMs: number;
  /** Called once for each jump. */
  readonly onJump: (byMs: number, status: ClockStatus) => void;
}

export function createServiceClock(deps: ServiceClockDeps): ServiceClock {
  let wallMs = deps.wall();
  let monotonicMs = deps.monotonic();
  let shownMs = Math.max(wallMs, deps.floorMs);
  let jumps = 0;
  let lastJump: ClockStatus["lastJump"] = null;

  function status(): ClockStatus {
    return { aheadMs: Math.max(0, Math.round(shownMs - wallMs)), jumps, lastJump };
  }

  function noteJump(byMs: number): void {
    jumps++;
    lastJump = { at: new Date(wallMs).toISOString(), byMs: Math.round(byMs) };
    deps.onJump(byMs, status());
  }

  function now(): number {
    const [wall, monotonic] = [deps.wall(), deps.monotonic()];
    const elapsedMs = monotonic - monotonicMs;
    const jumpMs = wall - wallMs - elapsedMs;
    [wallMs, monotonicMs] = [wall, monotonic];
    shownMs = Math.max(wall, shownMs + elapsedMs * CATCHING_UP_SPEED);
    if (Math.abs(jumpMs) >= JUMP_MS_MIN) noteJump(jumpMs);
    return Math.floor(shownMs);
  }

  // An earlier start saw a later time: the machine's clock was set back in between.
  if (shownMs - wallMs >= JUMP_MS_MIN) noteJump(wallMs - shownMs);
  const timer = setInterval(now, LOOK_EVERY_MS);
  Deno.unrefTimer(timer);
  return {
    now,
    status() {
      now();
      return status();
    },
    close() {
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}

/** One sentence for the log and the operator. */
export function describeJump(byMs: number, { aheadMs }: ClockStatus): string {
  const span = describeSpan(Math.abs(byMs));
  if (byMs > 0) return `The machine's clock went forward by ${span}, or the machine slept`;
  return `The machine's clock is ${span} behind the time before; the service's time is ahead by ` +
    `${describeSpan(aheadMs)} and goes at half speed until it has caught up`;
}

function describeSpan(ms: number): string {
  const [unit, unitMs] = ms < 120_000
    ? ["s", 1_000] as const
    : ms < 7_200_000
    ? ["min", 60_000] as const
    : ["h", 3_600_000] as const;
  return `${Math.round(ms / unitMs)} ${unit}`;
}
