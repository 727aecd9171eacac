/** `2026-04-01 12:00:03`, UTC. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}

/** `12:00:03.250`, UTC. */
export function formatClock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

/** `850 µs`, `12.5 ms`, `3.2 s`, `4 min 10 s`; `unknown` if a clock was set back in between. */
export function formatMs(ms: number): string {
  if (!(ms >= 0)) return "unknown";
  if (ms < 0.9995) return `${Math.round(ms * 1_000)} µs`;
  if (ms < 99.95) return `${Math.round(ms * 10) / 10} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Math.round(ms / 100) / 10} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min${rest(seconds % 60, "s")}`;
  return `${Math.floor(minutes / 60)} h${rest(minutes % 60, "min")}`;
}

function rest(count: number, unit: string): string {
  return count === 0 ? "" : ` ${count} ${unit}`;
}

/** `1,234,567` */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** `1,234`, `12.3k`, `4.56M`: three significant digits. */
export function formatShort(count: number): string {
  if (count < 10_000) return formatCount(count);
  if (count < 999_500) return `${threeDigits(count / 1e3)}k`;
  if (count < 999_500_000) return `${threeDigits(count / 1e6)}M`;
  return `${threeDigits(count / 1e9)}G`;
}

function threeDigits(value: number): string {
  return value >= 999.5 ? formatCount(value) : String(Number(value.toPrecision(3)));
}

/** `640 B`, `1.4 kB`, `12.0 MB` (decimal). */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** `$12.50`, `$0.0020`: two decimals; below one cent, two significant digits. */
export function formatUsd(usd: number): string {
  if (usd === 0) return "$0";
  if (usd < 0.01) return `$${usd.toPrecision(2)}`;
  return `$${usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** `94.2 %` of a share from 0 to 1. */
export function formatShare(share: number): string {
  return `${Math.round(share * 1_000) / 10} %`;
}

/** Tolerated difference between the clocks of replicas. */
const SKEW_MS = 5_000;

/** `3 s ago`, `5 min ago`, `2 h ago`, `4 d ago`; the text also says if a time is in the future. */
export function formatAgo(ms: number): string {
  if (ms < -SKEW_MS) return "ahead of this clock";
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** Indents JSON text; other text stays unchanged. */
export function formatJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
