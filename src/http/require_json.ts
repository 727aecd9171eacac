import type { MiddlewareHandler } from "hono";
import { problemOf } from "./problem.ts";

/** `application/json` or a type with the suffix `+json`, in UTF-8. */
const JSON_TYPE =
  /^application\/(?:json|[\w.!#$&^-]+\+json)\s*(?:;\s*charset\s*=\s*"?(?:utf-?8|us-ascii)"?\s*)?;?\s*$/i;

/**
 * Answers 415 if the content type is not JSON; a request without a body may leave it out. The types
 * that a page can send to another origin without a preflight are therefore all refused.
 */
export const requireJson: MiddlewareHandler = async ({ req: { raw } }, next) => {
  if (raw.method === "GET" || raw.method === "HEAD") return await next();
  const type = raw.headers.get("content-type");
  if (type === null ? !hasBody(raw) : JSON_TYPE.test(type)) return await next();
  const shown = type === null ? "no content-type" : JSON.stringify(type.slice(0, 200));
  return problemOf({
    code: "ERR_BAD_REQUEST",
    message: `Cannot read a body with ${shown}: it must be JSON`,
    hint: "Send one JSON document in UTF-8 with content-type: application/json",
  }, 415);
};

/** The headers decide, because some servers give an empty stream for a request without a body. */
function hasBody({ headers, body }: Request): boolean {
  if (headers.has("transfer-encoding")) return true;
  const length = headers.get("content-length");
  return length === null ? body !== null : length !== "0";
}
