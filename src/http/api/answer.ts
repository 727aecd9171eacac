import type { z } from "zod";

/**
 * The answer of a route. Documents, clients and tests use the schema; the service does not check
 * it.
 */
export interface Answer<Answered> {
  readonly status: 200 | 201;
  /** Schema of the JSON; null for a route that never answers with JSON. */
  readonly schema: z.ZodType<Answered> | null;
  /** Media types of other answers. */
  readonly mediaTypes: readonly string[];
}

/** A JSON answer; `created` means status 201. */
export function json<Answered>(
  schema: z.ZodType<Answered>,
  ...mediaTypes: readonly string[]
): Answer<Answered> {
  return { status: 200, schema, mediaTypes };
}

export function created<Answered>(schema: z.ZodType<Answered>): Answer<Answered> {
  return { status: 201, schema, mediaTypes: [] };
}

/** An answer that the handler makes itself, as text or as a stream. */
export function file(...mediaTypes: readonly string[]): Answer<never> {
  return { status: 200, schema: null, mediaTypes };
}
