import { z } from "zod";
import { listSchema } from "../../../model/list_schema.ts";
import { NAMES_MAX } from "./names_max.ts";

/** Body of `POST /keys`. */
export const KeyRequestSchema = z.strictObject({
  name: z.string(),
  groups: listSchema(z.string(), NAMES_MAX).optional(),
  scopes: listSchema(z.string(), NAMES_MAX).optional(),
  spaces: listSchema(z.string(), NAMES_MAX).nullable().optional(),
  expiresInMs: z.number().nullable().optional(),
});
