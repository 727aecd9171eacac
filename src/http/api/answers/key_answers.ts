import { z } from "zod";
import type { ApiKey } from "../../../auth/api_keys.ts";
import type { CreatedKey, RevokedKey } from "../../../operations/keys.ts";
import { objectOf } from "./object_of.ts";

const KEY = {
  id: z.string(),
  name: z.string(),
  groups: z.array(z.string()),
  scopes: z.array(z.string()),
  spaces: z.array(z.string()).nullable(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
};

/** Answer of `POST /keys`. */
export const CreatedKeySchema = objectOf<CreatedKey>({
  ...KEY,
  key: z.string(),
  notes: z.array(z.string()),
});

/** Answer of `GET /keys`. */
export const KeyListSchema = objectOf<{ readonly keys: readonly ApiKey[] }>({
  keys: z.array(objectOf<ApiKey>(KEY)),
});

/** Answer of `DELETE /keys/:id`. */
export const RevokedKeySchema = objectOf<RevokedKey>({
  id: z.string(),
  revoked: z.literal(true),
});
