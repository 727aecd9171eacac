import type { DownReport } from "../model/catalog.ts";
import type { Log } from "../model/log.ts";
import type { Principal } from "../model/principal.ts";
import type { UpstreamAnswer, UpstreamCall, UpstreamListing } from "../model/upstream.ts";
import type { UserOAuth } from "./credentials/user_oauth.ts";
import type { UserTokens } from "./credentials/user_tokens.ts";
import type { ChildReaper } from "./mcp/child_reaper.ts";

/** One upstream: an MCP server over stdio or HTTP, an HTTP API, or a built-in demo server. */
export interface Upstream {
  /** The server's place, as in its listings; null if only a listing tells. */
  readonly identity: string | null;
  list(signal: AbortSignal): Promise<UpstreamListing>;
  /** Makes one call; never repeats a call that may have reached the upstream. */
  call(call: UpstreamCall): Promise<UpstreamAnswer>;
  status(): UpstreamStatus;
  /** Present where people bring their own accounts. */
  readonly user?: UserOAuth | null;
  close(): Promise<void>;
}

export interface UpstreamStatus {
  readonly status: "starting" | "ready" | "down";
  /** Why it is down; without secrets. */
  readonly error: string | null;
  /** More details while it is down. */
  readonly down?: DownReport;
}

/** The parts that every kind of upstream needs. */
export interface UpstreamContext {
  /** The configured name. */
  readonly server: string;
  /** Replaces `${env:…}`, `${file:…}` and `${exec:…}`. */
  readonly resolveSecrets: (text: string) => Promise<string>;
  /** The service's environment. Children get only a few of its names; proxies are read from it. */
  readonly env: () => { readonly [name: string]: string };
  readonly log: Log;
  /** Call this when the upstream says that its lists changed. */
  readonly listChanged: () => void;
}

/** Parts that all upstreams of one service share. */
export interface SharedParts {
  readonly reaper: ChildReaper;
  readonly baseDir: string;
  readonly messageBytesMax: number;
  readonly subjectToken: SubjectToken | undefined;
  readonly userTokens: UserTokens | undefined;
}

/** The token that a caller authenticated with, for RFC 8693; null if there is none. */
export type SubjectToken = (principal: Principal) => Promise<string | null>;
