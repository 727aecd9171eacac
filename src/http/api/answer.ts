import type { z } from "zod";

/** How a route answers. Its schema is for documents, clients and tests; answers are not checked at run time. */
export interface Answer<Answered> {
  readonly status: 200 | 201;
  /** Of the JSON; null for a route that never answers with JSON. */
  readonly schema: z.ZodType<Answered> | null;
  /** What else than JSON it answers with. */
  readonly mediaTypes: readonly string[];
}

/** An answer in JSON; `created` is one with status 201. */
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
