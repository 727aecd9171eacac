import { z } from "zod";

/** For each field of a model type the schema that it needs: an optional one has an optional schema. */
export type FieldsOf<T> = {
  readonly [Name in keyof T]-?: T extends Record<Name, T[Name]> ? z.ZodType<T[Name]>
    : OptionalSchema<T[Name]>;
};

/** A schema that says of itself that its field may be left out. */
type OptionalSchema<T> = z.ZodType<T> & { readonly def: { readonly type: "optional" } };

/**
 * The schema of a model type. The compiler refuses one that lacks a field of it, has another one, or has
 * one in another form, so that type and schema stay the same.
 */
export function objectOf<T extends object>(fields: FieldsOf<T>): z.ZodType<T> {
  const schema: z.ZodType = z.object({ ...fields });
  return schema as z.ZodType<T>;
}
