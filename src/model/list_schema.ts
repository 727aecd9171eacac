import { z } from "zod";

/**
 * An array schema that checks the length before the members. Zod alone would check and report each
 * of a million members.
 */
export function listSchema<T extends z.ZodType>(member: T, lengthMax: number) {
  const { $schema: _, ...items } = z.toJSONSchema(member, { io: "input" });
  // The metadata is for documents only; the pipe checks the members.
  return z.array(z.unknown()).max(lengthMax).meta({ items }).pipe(z.array(member));
}
