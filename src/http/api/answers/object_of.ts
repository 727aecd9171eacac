import { z } from "zod";

/** The schema that each field of a model type needs; optional fields need an optional schema. */
export type FieldsOf<T> = {
  readonly [Name in keyof T]-?: T extends Record<Name, T[Name]> ? z.ZodType<T[Name]>
    : OptionalSchema<T[Name]>;
};

/** A schema whose type says that the field is optional. */
type OptionalSchema<T> = z.ZodType<T> & { readonly def: { readonly type: "optional" } };

/**
 * The schema of a model type. The compiler refuses a missing field, an extra field and a field of
 * another type, so that type and schema stay the same.
 */
export function objectOf<T extends object>(fields: FieldsOf<T>): z.ZodType<T> {
  const schema: z.ZodType = z.object({ ...fields });
  return schema as z.ZodType<T>;
}
