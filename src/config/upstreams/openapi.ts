import { z } from "zod";
import { HttpUrlSchema } from "../http_url.ts";
import { defineKind, UPSTREAM_COMMON, UpstreamAuthSchema } from "./upstream_kind.ts";

const OpenapiServerSchema = z.strictObject({
  ...UPSTREAM_COMMON,
  /** Path of the OpenAPI document (JSON or YAML, may be gzipped). */
  spec: z.string().min(1),
  baseUrl: HttpUrlSchema.optional(),
  headers: z.record(z.string(), z.string()).default({}),
  auth: UpstreamAuthSchema.optional(),
  /** Values of server variables and security schemes of the document, by name. */
  variables: z.record(z.string(), z.string()).default({}),
  security: z.record(z.string(), z.string()).default({}),
  /** Operations whose value is `{body, headers}`: those that declare headers of answers, all, or none. */
  responseHeaders: z.enum(["declared", "all", "none"]).default("declared"),
  allowPrivateNetwork: z.boolean().default(false),
});

export type OpenapiServerConfig = z.infer<typeof OpenapiServerSchema>;

/** HTTP APIs that an OpenAPI document describes. */
export const OPENAPI = defineKind({
  schema: OpenapiServerSchema,
  resolvePaths: (api, { fileOrUrl }) => ({ ...api, spec: fileOrUrl(api.spec) }),
  takesAccounts: (api) => api.auth?.type === "oauth",
  remedy: () => "Check its document and its base URL",
  // Reading the document, perhaps from a file, does not prove that the API answers.
  addressToTry: ({ baseUrl, allowPrivateNetwork }) =>
    baseUrl === undefined ? null : { url: baseUrl, allowPrivateNetwork },
});
