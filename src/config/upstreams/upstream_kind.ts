import { z } from "zod";
import type { ServerState } from "../../model/catalog.ts";
import { HttpUrlSchema } from "../http_url.ts";

/** How an upstream's credential is obtained, beyond a fixed header. */
export const UpstreamAuthSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("client_credentials"),
    tokenUrl: HttpUrlSchema,
    clientId: z.string().min(1),
    clientSecret: z.string().min(1),
    scope: z.string().optional(),
    audience: z.string().optional(),
  }),
  z.strictObject({
    type: z.literal("token_exchange"),
    tokenUrl: HttpUrlSchema,
    clientId: z.string().min(1),
    clientSecret: z.string().min(1),
    scope: z.string().optional(),
    audience: z.string().optional(),
  }),
  z.strictObject({
    type: z.literal("oauth"),
    clientId: z.string().min(1),
    clientSecret: z.string().optional(),
    authorizationUrl: HttpUrlSchema,
    tokenUrl: HttpUrlSchema,
    scope: z.string().optional(),
  }),
]);
export type UpstreamAuthConfig = z.infer<typeof UpstreamAuthSchema>;

/** Settings that every kind of upstream has; a kind's schema spreads them. */
export const UPSTREAM_COMMON = {
  /** Shown to agents instead of the server's own title. */
  title: z.string().max(200).optional(),
  timeoutMs: z.int().min(100).max(3_600_000).default(60_000),
  concurrentCallsMax: z.int().min(1).max(1_024).default(32),
  disabled: z.boolean().default(false),
  /** More words to find a tool by: tool name to words. */
  aliases: z.record(z.string(), z.array(z.string().max(200)).max(50)).default({}),
};

/** The settings that upstreams of every kind have. */
export type UpstreamSettings = z.output<z.ZodObject<typeof UPSTREAM_COMMON>>;

/** Makes paths of a configuration absolute, against the folder of its file. */
export interface PathResolver {
  readonly baseDir: string;
  readonly absolute: (path: string) => string;
  /** `file:./spec` and plain paths become absolute; other schemes stay as they are. */
  readonly fileOrUrl: (place: string) => string;
}

/**
 * The settings of one kind of upstream. Each kind has a section of the configuration, which maps
 * names to settings. The code that talks to upstreams is in `src/upstream/`.
 */
export interface UpstreamKind<Settings> {
  /** Schema of the settings of one upstream. */
  readonly schema: z.ZodType<Settings>;
  /** The same settings with absolute paths. */
  readonly resolvePaths: (settings: Settings, paths: PathResolver) => Settings;
  /** Whether people bring their own accounts to it. */
  readonly takesAccounts: (settings: Settings) => boolean;
  /** What an operator can do while the upstream is not ready. */
  readonly remedy: (
    settings: Settings,
    state: Pick<ServerState, "status" | "down">,
  ) => string;
  /** The address to test whether the upstream answers; null if listing its tools proves that. */
  readonly addressToTry: (
    settings: Settings,
  ) => { readonly url: string; readonly allowPrivateNetwork: boolean } | null;
}

/** Gives the functions of a kind the type of its settings. */
export function defineKind<Settings extends UpstreamSettings>(
  kind: UpstreamKind<Settings>,
): UpstreamKind<Settings> {
  return kind;
}
