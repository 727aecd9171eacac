/**
 * Policy bundles: one signed file with everything a site needs for decisions without a network.
 *
 * The file holds the bundle and a detached JWS (RFC 7515, RFC 7797) over its canonical JSON (RFC
 * 8785). In transit only white space and key order may change. The trusted keys come from the
 * start-up configuration of the service, never from the file.
 */
import { z } from "zod";
import { GateError } from "../../model/errors.ts";
import { canonicalJson } from "../../model/json/canonical_json.ts";
import { sha256Hex } from "../../model/sha256.ts";
import type { PolicyDocument, PolicyText } from "../file/document.ts";
import { parsePolicy } from "../file/parse_policy.ts";
import { GroupSchema } from "../file/schema.ts";
import { type BundleKey, signDetached, verifyDetached } from "./signature.ts";

/** A larger file is not a bundle. */
export const BUNDLE_TEXT_MAX = 33_554_432;
const BUILD_AGAIN = "Build and sign it again";

const TimeSchema = z.iso.datetime();
const PinSchema = z.string().regex(/^[0-9a-f]{64}$/);

export const BundleSchema = z.strictObject({
  format: z.literal("toolgate-bundle-1"),
  name: z.string().min(1).max(1_000),
  /** Sequence number: grows with every bundle of a site and never decreases. */
  seq: z.int().min(1),
  issuedAt: TimeSchema,
  /** After this time the bundle is stale. */
  notAfter: TimeSchema,
  policies: z.array(z.strictObject({ path: z.string().min(1).max(500), text: z.string() }))
    .min(1).max(1_000),
  /** SHA-256 of each approved tool definition, by server and tool name. */
  pins: z.record(z.string(), z.record(z.string(), PinSchema)),
  /** Copies of the groups and prices in the policies, for readers of the bundle. */
  groups: z.record(z.string(), GroupSchema),
  prices: z.record(z.string(), z.record(z.string(), z.number())),
});
export type PolicyBundle = z.infer<typeof BundleSchema>;

const EnvelopeSchema = z.strictObject({
  bundle: BundleSchema,
  /** `<protected header>..<signature>` */
  signature: z.string().min(1).max(4_096),
});

export interface BundleInput {
  readonly files: readonly PolicyText[];
  readonly pins: PolicyBundle["pins"];
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly notAfter: number;
}

/** A bundle with a valid signature and valid content. `activateBundle` decides about activation. */
export interface VerifiedBundle {
  readonly bundle: PolicyBundle;
  readonly document: PolicyDocument;
  /** SHA-256 (hex) of the canonical bundle: audit records identify the policy by this digest. */
  readonly digest: string;
  /** The trusted key that signed the bundle. */
  readonly keyId: string;
}

/**
 * Makes an unsigned bundle of policy files.
 *
 * @throws {PolicyError} if the policies cannot be parsed.
 * @throws {GateError} `ERR_CONFIG` if the numbers make no sense.
 */
export function buildBundle(input: BundleInput): PolicyBundle {
  const document = parsePolicy(input.files);
  if (input.notAfter <= input.issuedAt) {
    throw bundleError("it would end before it begins", "Choose a later notAfter");
  }
  const parsed = BundleSchema.safeParse({
    format: "toolgate-bundle-1",
    name: document.name,
    seq: input.seq,
    issuedAt: new Date(input.issuedAt).toISOString(),
    notAfter: new Date(input.notAfter).toISOString(),
    policies: document.files.map(({ path, text }) => ({ path, text })),
    pins: input.pins,
    ...spelledOut(document),
  });
  if (!parsed.success) throw bundleError(describeIssue(parsed.error), "Correct it and build again");
  return parsed.data;
}

/**
 * Reads a bundle file, signed or not, without checking the signature: for the command that signs.
 *
 * @throws {GateError} `ERR_CONFIG` if it is not a bundle.
 */
export function readBundle(text: string): PolicyBundle {
  const value = parseJson(text);
  const isSigned = typeof value === "object" && value !== null && "signature" in value;
  const parsed = isSigned ? EnvelopeSchema.safeParse(value) : BundleSchema.safeParse(value);
  if (!parsed.success) throw bundleError(describeIssue(parsed.error), BUILD_AGAIN);
  return "signature" in parsed.data ? parsed.data.bundle : parsed.data;
}

/** SHA-256 (hex) of the canonical bundle: audit records identify the policy by this digest. */
export function bundleDigest(bundle: PolicyBundle): string {
  return sha256Hex(canonicalJson(bundle));
}

/** Signs a bundle. @returns the text of the bundle file. */
export async function signBundle(bundle: PolicyBundle, privateKey: BundleKey): Promise<string> {
  const signature = await signDetached(canonicalJson(bundle), privateKey);
  return `${JSON.stringify({ bundle, signature }, null, 2)}\n`;
}

/**
 * Checks signature, shape and policies of a bundle file.
 *
 * @param trustedKeys public keys; their order does not matter.
 * @throws {GateError} `ERR_CONFIG` that says what is wrong with the file.
 */
export async function verifyBundle(
  text: string,
  trustedKeys: readonly BundleKey[],
): Promise<VerifiedBundle> {
  const { bundle, signature } = parseEnvelope(text);
  const canonical = canonicalJson(bundle);
  const keyId = await verifyDetached(canonical, signature, trustedKeys);
  if (keyId === null) {
    throw bundleError(
      "no trusted key signed it as it is",
      "Sign it with a key that the service trusts, or fetch it again",
    );
  }
  const document = parsePolicy(bundle.policies);
  const expected = canonicalJson({ name: document.name, ...spelledOut(document) });
  const { name, groups, prices } = bundle;
  if (canonicalJson({ name, groups, prices }) !== expected) {
    throw bundleError("its groups or prices differ from its policies", "Build it again");
  }
  return { bundle, document, digest: sha256Hex(canonical), keyId };
}

export function bundleError(reason: string, hint: string, cause?: unknown): GateError {
  return new GateError("ERR_CONFIG", `Cannot use the policy bundle: ${reason}`, { hint, cause });
}

function parseEnvelope(text: string): z.infer<typeof EnvelopeSchema> {
  const parsed = EnvelopeSchema.safeParse(parseJson(text));
  if (!parsed.success) throw bundleError(describeIssue(parsed.error), BUILD_AGAIN);
  return parsed.data;
}

function parseJson(text: string): unknown {
  if (text.length > BUNDLE_TEXT_MAX) {
    throw bundleError(`it has more than ${BUNDLE_TEXT_MAX} characters`, BUILD_AGAIN);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw bundleError("it is not JSON", BUILD_AGAIN, error);
  }
}

function spelledOut(document: PolicyDocument): Pick<PolicyBundle, "groups" | "prices"> {
  const groups = [...document.groups].map(([name, { place: _, placeOf: __, ...spec }]) =>
    [name, spec] as const
  );
  const prices = [...document.tools].flatMap(([server, { price }]) =>
    price === undefined ? [] : [[server, price] as const]
  );
  return { groups: Object.fromEntries(groups), prices: Object.fromEntries(prices) };
}

function describeIssue(error: z.core.$ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return "its shape is wrong";
  const path = issue.path.map(String).join(".");
  return path === "" ? issue.message : `"${path}" is wrong: ${issue.message}`;
}
