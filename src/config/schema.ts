import { isIP } from "node:net";
import { z } from "zod";
import { parseDurationMs } from "../model/time/duration.ts";
import { HttpUrlSchema } from "./http_url.ts";
import { SECTION_SCHEMAS } from "./upstreams/upstream_kinds.ts";

/** Bounds of one execution. @see model/limits.ts */
export const LimitsSchema = z.strictObject({
  wallTimeMs: z.int().min(100).max(600_000).default(30_000),
  cpuTimeMs: z.int().min(50).max(600_000).default(10_000),
  memoryMb: z.int().min(32).max(4_096).default(128),
  toolCallsMax: z.int().min(1).max(10_000).default(200),
  concurrentCallsMax: z.int().min(1).max(256).default(16),
  toolArgumentBytesMax: z.int().min(1_024).max(67_108_864).default(4_194_304),
  toolResultBytesMax: z.int().min(1_024).max(134_217_728).default(33_554_432),
  resultBytesMax: z.int().min(1_024).max(16_777_216).default(1_048_576),
  codeBytesMax: z.int().min(256).max(2_097_152).default(262_144),
  logBytesMax: z.int().min(0).max(4_194_304).default(65_536),
  concurrentExecutionsMax: z.int().min(1).max(1_024).default(16),
  /** Bytes that one person may add to the store in a day: records, payloads, kept results. */
  storedBytesPerDayMax: z.int().min(1_048_576).max(1_099_511_627_776).default(4_294_967_296),
});

export const SandboxSchema = z.strictObject({
  isolation: z.enum(["process", "worker", "realm"]).default("worker"),
  /** Idle hosts kept ready for the next executions. */
  warm: z.int().min(0).max(64).default(2),
  hostsMax: z.int().min(1).max(256).default(16),
  queueMax: z.int().min(0).max(10_000).default(64),
  /** Kernel features without which the service refuses to start. */
  require: z.array(z.enum(["seccomp", "landlock"])).default([]),
});

export const ServerSchema = z.strictObject({
  host: z.string().min(1).default("127.0.0.1"),
  port: z.int().min(0).max(65_535).default(8_484),
  publicUrl: HttpUrlSchema.optional(),
  /**
   * Addresses or CIDR ranges of reverse proxies. From them the service takes the client's address
   * in X-Forwarded-For and its scheme in X-Forwarded-Proto.
   */
  trustedProxies: z.array(
    z.string().refine(isAddressRange, "must be an IP address or a range such as 10.0.0.0/8"),
  ).max(1_000).default([]),
  /** Open connections at most; 0: as many as the descriptor limit of the process allows. */
  connectionsMax: z.int().min(0).max(1_000_000).default(0),
  /** How long a drain waits for running executions. */
  drainMs: z.int().min(0).max(600_000).default(10_000),
});

export const AuthSchema = z.union([
  z.literal("none"),
  z.literal("keys"),
  z.strictObject({
    issuer: HttpUrlSchema,
    /** Default: the URL of the space that is called (RFC 8707). */
    audience: z.string().optional(),
    jwksUrl: HttpUrlSchema.optional(),
    /** The names of the claims; default `sub`, `azp` or `client_id`, `scope`. */
    claims: z.strictObject({
      sub: z.string().optional(),
      client: z.string().optional(),
      scopes: z.string().optional(),
    }).default({}),
    clockSkewSeconds: z.int().min(0).max(600).default(60),
    /** The console's own OAuth client, when people log in with OIDC. */
    console: z.strictObject({
      clientId: z.string().min(1),
      clientSecret: z.string().optional(),
    }).optional(),
  }),
]);

export const AuditSchema = z.strictObject({
  /** Prefix of the paths of the key files; default: beside the store file. Replicas share them. */
  keys: z.string().min(1).optional(),
  payloads: z.enum(["off", "encrypted"]).default("encrypted"),
  retentionDays: z.int().min(1).max(36_500).default(90),
  payloadRetentionDays: z.int().min(1).max(36_500).default(30),
  checkpointEvery: z.int().min(1).max(1_000_000).default(1_000),
  checkpointEveryMs: z.int().min(100).max(86_400_000).default(60_000),
  /** Places outside the store that remember checkpoints: a file path or an http(s) URL. */
  anchors: z.array(z.string().min(1)).default([]),
  ship: z.array(z.strictObject({
    to: z.string().min(1),
    every: z.string().refine((text) => parseDurationMs(text) !== null, {
      error: "must be a duration such as 30s, 15m or 1h",
    }).default("60s"),
    format: z.enum(["jsonl", "ocsf", "cef", "csv", "parquet"]).default("jsonl"),
    headers: z.record(z.string(), z.string()).default({}),
    /** PEM file of a certificate authority to trust for this target, besides the system's. */
    ca: z.string().min(1).optional(),
    /** Bounds of one delivery. A record larger than `batchBytesMax` is sent alone. */
    batchRecordsMax: z.int().min(1).max(5_000).default(1_000),
    batchBytesMax: z.int().min(1_024).max(16_777_216).default(1_000_000),
  })).default([]),
});

export const SearchSchema = z.strictObject({
  limit: z.int().min(1).max(50).default(5),
  namesMax: z.int().min(0).max(200).default(15),
  tokensMax: z.int().min(200).max(100_000).default(1_500),
  embeddings: z.strictObject({
    url: HttpUrlSchema,
    model: z.string().min(1),
    apiKey: z.string().optional(),
    weight: z.number().min(0).max(1).default(0.4),
    timeoutMs: z.int().min(10).max(60_000).default(500),
  }).optional(),
});

const BundleSchema = z.strictObject({
  path: z.string().min(1),
  /** Ed25519 public keys (JWK files) that may sign; a folder stands for its `*.pub.json`. */
  trust: z.array(z.string().min(1)).min(1),
  stale: z.enum(["deny", "warn"]).default("deny"),
});

/** The settings of a bundle given only by its path: the keys in the folder `keys` may sign it. */
function bundleAt(path: string): z.infer<typeof BundleSchema> {
  return { path, trust: ["keys"], stale: "deny" };
}

export const ConfigSchema = z.strictObject({
  server: ServerSchema.prefault({}),
  store: z.string().regex(/^(memory:|kv:.+|kv\+https?:.+|postgres(ql)?:.+)$/, {
    error: 'must be "memory:", "kv:<path>", "kv+https://…" or "postgres://…"',
  }).default("kv:./data/toolgate.kv"),
  auth: AuthSchema.default("none"),
  ...SECTION_SCHEMAS,
  /** A YAML file, a folder of them, `open`, or nothing. */
  policies: z.string().min(1).optional(),
  bundle: BundleSchema.or(z.string().min(1).transform(bundleAt)).optional(),
  limits: LimitsSchema.prefault({}),
  sandbox: SandboxSchema.prefault({}),
  preflight: z.enum(["off", "warn", "block"]).default("warn"),
  schemas: z.strictObject({
    /** `assert`: refuses a call whose text arguments do not have the `format` of their schema. */
    format: z.enum(["annotate", "assert"]).default("annotate"),
  }).prefault({}),
  search: SearchSchema.prefault({}),
  catalog: z.strictObject({
    refreshEveryMs: z.int().min(1_000).max(86_400_000).default(300_000),
    /** `trust`: additions and changes of an upstream are approved automatically. */
    pins: z.enum(["enforce", "trust"]).default("enforce"),
  }).prefault({}),
  spaces: z.record(
    z.string().min(1),
    z.strictObject({
      mode: z.enum(["code", "classic", "hybrid", "pass"]).default("code"),
      /** `hybrid`: the tools that stay classic. */
      classic: z.array(z.string()).default([]),
      /** `pass`: the one upstream. */
      upstream: z.string().optional(),
    }),
  ).default({}),
  audit: AuditSchema.prefault({}),
  model: z.strictObject({
    url: HttpUrlSchema,
    name: z.string().min(1),
    apiKey: z.string().optional(),
  }).optional(),
  pricing: z.strictObject({
    usdPerMillionTokens: z.number().min(0).max(10_000).default(3),
  }).prefault({}),
});

/** A parsed configuration. Secret references (`${env:NAME}` …) are still unresolved in it. */
export type Config = z.infer<typeof ConfigSchema>;

function isAddressRange(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined ||
    (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}
