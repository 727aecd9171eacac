import type { MiddlewareHandler } from "hono";
import { isOwnOrigin } from "../model/own_origin.ts";
import { problemOf } from "./problem.ts";

/** Documents that a page of any origin may read: they say where to log in, and grant it themselves. */
const PUBLIC_PATH = /^\/\.well-known\//;
/** Where a link from another site may lead a person; none of these answers can be read by that site. */
const PAGE_PATH = /^\/(?:$|console$|console\/|connect\/|healthz$|readyz$|metrics$)/;

/**
 * Refuses what pages of other origins send, other ports of this host included: they could run programs,
 * make keys or approve tools in the name of whoever looks at them.
 *
 * A person who follows a link to a page of the console is let through; a frame, an image, a form or a
 * script is not.
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
