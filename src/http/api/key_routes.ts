import { createKey, listKeys, revokeKey } from "../../operations/keys.ts";
import { created, json } from "./answer.ts";
import { CreatedKeySchema, KeyListSchema, RevokedKeySchema } from "./answers/key_answers.ts";
import { route } from "./route.ts";
import { KeyRequestSchema } from "./inputs/key_inputs.ts";

/** Routes for API keys. */
export const KEY_ROUTES = [
  route("POST /keys", {
    scope: "admin",
    summary: "Create an API key",
    body: KeyRequestSchema,
    answer: created(CreatedKeySchema),
    handle: (deps, { principal, body }) => createKey(deps, principal, body),
  }),
  route("GET /keys", {
    scope: "admin",
    summary: "API keys, without secrets",
    answer: json(KeyListSchema),
    handle: async (deps) => ({ keys: await listKeys(deps) }),
  }),
  route("DELETE /keys/:id", {
    scope: "admin",
    summary: "Revoke an API key",
    answer: json(RevokedKeySchema),
    handle: (deps, { principal, params }) => revokeKey(deps, principal, params.id),
  }),
] as const;
