/**
 * Ends child processes that would outlive the service.
 *
 * A killed service cannot clean up, so a small shell watches for its end. The shell holds the read
 * end of a pipe, reads from it the process groups to end, and ends them when the pipe closes. The
 * pipe closes however the service dies. The shell has a session of its own, so that no signal to
 * the service reaches it first. Windows has no such shell: children there see their standard input
 * close.
 */
export interface ChildReaper {
  /** Watches a process group, named by its leader's id. */
  watch(groupId: number): Promise<void>;
  /** Forgets a group that has ended, so that a later process with the same id is safe. */
  forget(groupId: number): Promise<void>;
  close(): Promise<void>;
}

const SCRIPT = `
groups=""
while read -r action group; do
  if [ "$action" = + ]; then groups="$groups $group "; else
    rest=""
    for g in $groups; do [ "$g" = "$group" ] || rest="$rest $g "; done
    groups="$rest"
  fi
done
for g in $groups; do kill -s TERM -- "-$g" 2>/dev/null; done
[ -n "$groups" ] && sleep 1
for g in $groups; do kill -s KILL -- "-$g" 2>/dev/null; done
exit 0
`;

/** Makes a reaper. The watching shell starts with the first child. */
export function createChildReaper(): ChildReaper {
  let shell: { child: Deno.ChildProcess; writer: WritableStreamDefaultWriter<Uint8Array> } | null =
    null;
  let closed = false;
  const encoder = new TextEncoder();

  const tell = async (line: string) => {
    if (closed || Deno.build.os === "windows") return;
    if (shell === null) {
      const child = new Deno.Command("/bin/sh", {
        args: ["-c", SCRIPT, "toolgate-reaper"],
        env: { PATH: "/usr/bin:/bin" },
        clearEnv: true,
        stdin: "piped",
        stdout: "null",
        stderr: "null",
        detached: true,
      }).spawn();
      shell = { child, writer: child.stdin.getWriter() };
    }
    await shell.writer.write(encoder.encode(line));
  };
  return {
    watch: (groupId) => tell(`+ ${groupId}\n`),
    forget: (groupId) => tell(`- ${groupId}\n`),
    async close() {
      closed = true;
      const last = shell;
      shell = null;
      if (last === null) return;
      await last.writer.close();
      await last.child.status;
    },
  };
}
