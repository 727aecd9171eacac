import { startCall } from "../tracing.ts";
import { progressListener } from "./call_progress.ts";
import type { IntendedCall, SentCall } from "./passage.ts";
import type { CallToolDeps } from "./tool_call.ts";

/** Sends the call. Never throws: a failure of the upstream is also a reply. */
export async function sendCall(
  deps: Pick<CallToolDeps, "now" | "upstreams">,
  intended: IntendedCall,
): Promise<SentCall> {
  const { args, call, context, idempotencyKey, policy, tool } = intended;
  const sentAt = deps.now();
  const span = startCall(context.span, context.traceparent, tool.server, tool.name);
  const replied = (reply: SentCall["reply"]): SentCall => ({
    ...intended,
    reply,
    upstreamMs: deps.now() - sentAt,
    span,
  });
  try {
    const answer = await deps.upstreams.call({
      server: tool.server,
      name: tool.name,
      kind: tool.kind,
      args: args as { readonly [name: string]: unknown },
      principal: context.principal,
      idempotencyKey,
      traceparent: span.traceparent,
      resultBytesMax: context.limits.toolResultBytesMax,
      signal: AbortSignal.any([context.signal, call.signal]),
      ...progressListener(policy, call.onProgress),
    });
    return replied({ answer });
  } catch (failure) {
    return replied({ failure });
  }
}
