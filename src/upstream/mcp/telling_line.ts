/** Lines that a runtime writes around the reason: versions, stack frames, source, log paths. */
const FRAMES: readonly RegExp[] = [
  /^Node\.js v\d/,
  /^at\s/,
  /^\^+$/,
  /^[~^\s|]+$/,
  /^[{}[\]();,]+$/,
  /^(node:|file:\/\/|\/|[A-Z]:\\)\S*:\d+(:\d+)?$/,
  /^throw\s/,
  /^code: '/,
  /^Traceback \(most recent call last\):$/,
  /^File ".*", line \d+/,
  /^During handling of the above exception|^The above exception was the direct cause/,
  /^goroutine \d+ \[|^created by |^main\.main\(|^exit status \d+$|\.go:\d+/,
  /^note: run with `RUST_BACKTRACE|^stack backtrace:/,
  /^(npm (error|ERR!|warn|WARN|notice))?\s*(A complete log of this run|Log files were not written)/,
  /^npm (error|ERR!)( \d{3})?$/,
  /^npm (error|ERR!) (code|errno|syscall|path|\d{3} Note|\d{3} tarball)\b/,
  /^npm (warn|WARN|notice)\b/,
  /^\{"jsonrpc"/,
  /^See ['"`].*--help/,
  /^(Press|Hit) Ctrl/i,
];
/** Names the error itself: `Error: …`, `ValueError: …`, `panic: …`, `error: …`. */
const NAMED =
  /(^|[\s\]])([A-Za-z_.]*(Error|Exception)( \[\w+\])?|error|fatal|panic|FATAL|ERROR)(\(\w+\))?:\s*\S/;
/** Words of a line that gives a reason. */
const REASON =
  /required|missing|must |cannot|can't|could not|couldn't|unable|not found|not set|not defined|not exist|is not |denied|refused|rejected|invalid|unauthori[sz]ed|forbidden|fail(ed|ure)|unknown|unexpected|expired|no such|log ?in|sign in|authori[sz]e|error/i;
const CHARACTERS_MAX = 500;

/**
 * The line of a process's last output that gives the reason of its failure. A runtime writes its
 * version, a stack or the path of a log after the reason.
 *
 * @param lines oldest first; standard output first, so that the latest words of standard error win.
 * @returns null if nothing was written.
 */
export function tellingLine(lines: readonly string[]): string | null {
  const words = lines.map((line) => line.trim()).filter((line) => line !== "");
  const said = words.filter((line) => !FRAMES.some((frame) => frame.test(line)));
  const line = said.findLast((text) => NAMED.test(text)) ??
    said.findLast((text) => REASON.test(text)) ?? said.at(-1) ?? words.at(-1);
  if (line === undefined) return null;
  return line.length > CHARACTERS_MAX ? `${line.slice(0, CHARACTERS_MAX)}…` : line;
}
