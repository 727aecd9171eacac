import { createFrameReader, encodeFrame, type Frame } from "../../rpc/frames.ts";
import { revokePermissions } from "../../sandbox/host/revoke_permissions.ts";
import {
  CHECKER_FRAME,
  type CheckFailure,
  type CheckFinding,
  type CheckRequest,
  REPLY_BYTES_MAX,
  REQUEST_BYTES_MAX,
} from "../protocol.ts";
import { type CheckService, createCheckService } from "./checker_service.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

/**
 * The checker process: reads programs from stdin, answers with findings on stdout, one at a time.
 *
 * The process never runs a program, but types can compute too. So it has no permission, and the
 * service ends it when a check takes too long.
 */
export async function runCheckerHost(): Promise<void> {
  revokePermissions();
  const watchdog = startWatchdog();
  const service = createCheckService();
  // The first check binds the standard library; do this before a caller waits.
  service.check(WARM_UP, "declare const tools: {};");
  await send(CHECKER_FRAME.ready, 0, "");
  await serve(service, watchdog);
  watchdog.close();
}

/** Ends with its input, or at the first invalid frame. */
async function serve(service: CheckService, watchdog: Watchdog): Promise<void> {
  const reader = createFrameReader(() => REQUEST_BYTES_MAX);
  const frames: Frame[] = [];
  for await (const chunk of Deno.stdin.readable) {
    const isSound = reader.push(chunk, (frame) => {
      frames.push({ ...frame, payload: frame.payload.slice() });
    });
    if (!isSound) return;
    for (const frame of frames.splice(0)) {
      if (frame.type !== CHECKER_FRAME.check) return;
      const request: CheckRequest = JSON.parse(new TextDecoder().decode(frame.payload));
      watchdog.started(request.budgetMs);
      const answer = answerTo(service, request);
      watchdog.ended();
      if (Array.isArray(answer)) await sendFindings(frame.stamp, answer);
      else await send(CHECKER_FRAME.failed, frame.stamp, JSON.stringify(answer));
    }
  }
}

const WARM_UP = `const list = [1, 2].map((n) => ({ n, text: String(n) }));
const all = await Promise.all(list.map(async (item) => item.text.length));
return { total: all.reduce((sum, n) => sum + n, 0), at: new Date().toISOString(), ...{} };`;

function answerTo(service: CheckService, request: CheckRequest): CheckFinding[] | CheckFailure {
  try {
    return service.check(request.code, request.declarations, request.declaredOnly);
  } catch (error) {
    return error instanceof RangeError ? "nesting" : "internal";
  }
}

async function sendFindings(stamp: number, findings: CheckFinding[]): Promise<void> {
  let kept = findings;
  let text = JSON.stringify(kept);
  while (text.length * 3 > REPLY_BYTES_MAX) {
    kept = kept.slice(0, -1);
    text = JSON.stringify(kept);
  }
  await send(CHECKER_FRAME.findings, stamp, text);
}

async function send(type: number, stamp: number, text: string): Promise<void> {
  const frame = encodeFrame(type, stamp, new TextEncoder().encode(text));
  for (let sent = 0; sent < frame.length;) sent += await Deno.stdout.write(frame.subarray(sent));
}

if (import.meta.main) await runCheckerHost();
