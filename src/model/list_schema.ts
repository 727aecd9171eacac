import { z } from "zod";

/**
 * An array whose length is looked at before its members: zod alone would check, and report, each of a
 * million.
 */
export function listSchema<T extends z.ZodType>(member: T, lengthMax: number) {
  const { $schema: _, ...items } = z.toJSONSchema(member, { io: "input" });
  // The members' schema is for documents only; they are checked behind the pipe.
  return z.array(z.unknown()).max(lengthMax).meta({ items }).pipe(z.array(member));
}
