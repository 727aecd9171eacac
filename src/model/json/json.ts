/** A JSON value (RFC 8259). */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A JSON Schema (2020-12 or draft-07); content is not trusted. */
export type JsonSchema = { readonly [key: string]: unknown } | boolean;
