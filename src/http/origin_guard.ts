import type { MiddlewareHandler } from "hono";
import { isOwnOrigin } from "../model/own_origin.ts";
import { problemOf } from "./problem.ts";

/** Pages of any origin may read these: they say where to log in and set their own CORS headers. */
const PUBLIC_PATH = /^\/\.well-known\//;
/** Pages that a link on another site may open; that site cannot read their answers. */
const PAGE_PATH = /^\/(?:$|console$|console\/|connect\/|healthz$|readyz$|metrics$)/;

/**
 * Refuses requests from pages of other origins, also from other ports of this host. Such a page
 * could run programs, make keys or approve tools in the name of its visitor.
 *
 * A person may follow a link to a page of the console; frames, images, forms and scripts of other
 * origins are refused.
 */
export function refuseForeignPages(publicUrl: string | undefined): MiddlewareHandler {
  return async ({ req: { raw } }, next) => {
    if (isOwnOrigin(raw, publicUrl) || isPublicRead(raw) || isFollowedLink(raw)) {
      return await next();
    }
    const { headers } = raw;
    const sender = headers.get("origin") ?? `a ${headers.get("sec-fetch-site")} page`;
    return problemOf({
      code: "ERR_FORBIDDEN",
      message: `Requests from ${JSON.stringify(sender.slice(0, 200))} are refused`,
      hint: "Only pages of this service may call it; " +
        "behind a proxy, put the URL that browsers use in server.publicUrl",
    });
  };
}

function isPublicRead(request: Request): boolean {
  return isRead(request) && PUBLIC_PATH.test(new URL(request.url).pathname);
}

function isFollowedLink(request: Request): boolean {
  const { headers } = request;
  return isRead(request) && !headers.has("origin") &&
    headers.get("sec-fetch-mode") === "navigate" && headers.get("sec-fetch-dest") === "document" &&
    PAGE_PATH.test(new URL(request.url).pathname);
}

function isRead({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}
