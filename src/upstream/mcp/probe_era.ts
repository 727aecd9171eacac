import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  isSpecType,
  type JSONRPCMessage,
  type PriorDiscovery,
  PROTOCOL_VERSION_META_KEY,
  type Transport,
} from "@modelcontextprotocol/client";
import { GateError } from "../../model/errors.ts";
import { OutboundRefusedError } from "../net/address_guard.ts";
import { CLIENT_INFO } from "./connection.ts";
import { neverSent } from "./errors.ts";
import { readHttpError } from "./http_error.ts";

/** The result of `server/discover`, which only revision 2026-07-28 knows. */
export interface Probed {
  /** The era to connect with: `legacy` unless the answer is clearly one of 2026. */
  readonly prior: PriorDiscovery;
  /** Why the server does not count as one of 2026; null if it does. */
  readonly refusal: Error | null;
  /** Whether only a server of 2026 gives that refusal. */
  readonly isModernRefusal: boolean;
}

export const MODERN_REVISION = "2026-07-28";
const UNSUPPORTED_VERSION = -32_022;
/** The other two are HeaderMismatch and MissingRequiredClientCapability. */
const MODERN_CODES = [-32_020, -32_021, UNSUPPORTED_VERSION];
const LEGACY: PriorDiscovery = { kind: "legacy" };

/**
 * Asks a server over HTTP for its era, on a separate transport that this function closes.
 *
 * A server of 2025 may answer the unknown method with anything: 401, 500, an error without an id, a
 * page, or nothing. All clients of 2025 start with `initialize`. So unless the answer is clear,
 * `initialize` comes next.
 *
 * @throws the reason why the request could not be sent; `initialize` would fail the same way.
 * @see MCP 2026-07-28, "Versioning: backward compatibility"
 */
export async function probeEra(
  transport: Transport,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Probed> {
  const { promise, resolve, reject } = Promise.withResolvers<JSONRPCMessage>();
  const limit = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
  const stop = () => reject(limit.reason);
  limit.addEventListener("abort", stop, { once: true });
  let asked = 0;
  const ask = () => void transport.send(discoverRequest(asked++)).catch(reject);
  transport.onmessage = (message) => {
    if ("method" in message) return;
    // The server refused our revision but lists it as supported: the protocol says to ask again.
    if (asked === 1 && offersRevision(message)) ask();
    else resolve(message);
  };
  try {
    await transport.start();
    ask();
    return judge(await promise);
  } catch (error) {
    if (options.signal.aborted || isUnsent(error)) throw error;
    const failure = limit.aborted
      ? new Error(`No answer to server/discover within ${options.timeoutMs} ms`, { cause: error })
      : asError(error);
    const code = readHttpError(error)?.rpc?.code;
    return { prior: LEGACY, refusal: failure, isModernRefusal: isModernCode(code) };
  } finally {
    limit.removeEventListener("abort", stop);
    await transport.close();
  }
}

/** An UnsupportedProtocolVersion error that lists our revision. */
function offersRevision(message: JSONRPCMessage): boolean {
  if (!("error" in message) || message.error.code !== UNSUPPORTED_VERSION) return false;
  const { supported } = (message.error.data ?? {}) as { readonly supported?: unknown };
  return Array.isArray(supported) && supported.includes(MODERN_REVISION);
}

function judge(message: JSONRPCMessage): Probed {
  if ("result" in message) {
    const { result } = message;
    if (isSpecType.DiscoverResult(result) && result.supportedVersions.includes(MODERN_REVISION)) {
      return {
        prior: { kind: "modern", discover: result },
        refusal: null,
        isModernRefusal: false,
      };
    }
    const refusal = new Error(`The server does not offer revision ${MODERN_REVISION}`);
    return { prior: LEGACY, refusal, isModernRefusal: false };
  }
  const { code, message: words } = "error" in message ? message.error : { code: 0, message: "" };
  return { prior: LEGACY, refusal: new Error(words), isModernRefusal: isModernCode(code) };
}

function isModernCode(code: number | undefined): boolean {
  return code !== undefined && MODERN_CODES.includes(code);
}

/** True if nothing reached the server: refused address, failed connection, missing credential. */
function isUnsent(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof GateError || cause instanceof OutboundRefusedError) return true;
  }
  return neverSent(error);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function discoverRequest(id: number): JSONRPCMessage {
  return {
    jsonrpc: "2.0",
    id,
    method: "server/discover",
    params: {
      _meta: {
        [PROTOCOL_VERSION_META_KEY]: MODERN_REVISION,
        [CLIENT_INFO_META_KEY]: CLIENT_INFO,
        [CLIENT_CAPABILITIES_META_KEY]: {},
      },
    },
  };
}
