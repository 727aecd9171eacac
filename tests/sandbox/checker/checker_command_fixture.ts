import type { ChildCommand } from "../../../src/sandbox/checker_child.ts";
import { createCheckerCommand } from "../../../src/sandbox/checker_command.ts";
import { denoCacheDir } from "../../../src/sandbox/host_command.ts";

/** The checker of this source tree. */
export const sourceCommand: () => ChildCommand = createCheckerCommand({
  executable: Deno.execPath(),
  standalone: false,
  program: new URL("../../../src/sandbox/checker_host.ts", import.meta.url).href,
  cacheDir: denoCacheDir((name) => Deno.env.get(name)),
});

/**
 * A process that takes the checker's place. Its program has `next()` for the payload of the next
 * frame and `say(type, stamp, text)`.
 */
export function fakeCommand(program: string): () => ChildCommand {
  const source = `
    const reader = Deno.stdin.readable.getReader();
    let held = new Uint8Array(0);
    async function take(count) {
      while (held.length < count) {
        const { value, done } = await reader.read();
        if (done) Deno.exit(0);
        const joined = new Uint8Array(held.length + value.length);
        joined.set(held);
        joined.set(value, held.length);
        held = joined;
      }
      const taken = held.slice(0, count);
      held = held.slice(count);
      return taken;
    }
    async function next() {
      const header = new DataView((await take(9)).buffer);
      const stamp = header.getUint32(5, true);
      return { stamp, text: new TextDecoder().decode(await take(header.getUint32(0, true))) };
    }
    function say(type, stamp, text, length) {
      const body = new TextEncoder().encode(text);
      const frame = new Uint8Array(9 + body.length);
      const view = new DataView(frame.buffer);
      view.setUint32(0, length ?? body.length, true);
      view.setUint8(4, type);
      view.setUint32(5, stamp, true);
      frame.set(body, 9);
      for (let sent = 0; sent < frame.length;) sent += Deno.stdout.writeSync(frame.subarray(sent));
    }
    const READY = 0x72, FINDINGS = 0x66, FAILED = 0x78;
    ${program}`;
  return () => ({
    command: Deno.execPath(),
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--no-config",
      `data:application/javascript,${encodeURIComponent(source)}`,
    ],
    env: { NO_COLOR: "1" },
  });
}
