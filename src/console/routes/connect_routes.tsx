import type { Context, Hono } from "hono";
import { GateError } from "../../model/errors.ts";
import { isOwnOrigin } from "../../model/own_origin.ts";
import type { ConsoleEnv } from "../console_session.ts";
import { page, type RouteKit, type VisitHandler } from "../page_context.tsx";
import { MessagePage } from "../pages/message_page.tsx";

/**
 * Connects a person's own account at an upstream. It begins at `/console/connect/<server>`. The
 * upstream sends the browser to `/connect/<server>/callback`, which needs no session and forwards
 * to `…/finish`, which does.
 */
export function addConnectRoutes(
  app: Hono<ConsoleEnv>,
  { deps, needing, shellOf }: RouteKit,
): void {
  const accountOf = (server: string) => {
    const account = deps.accountAt(server);
    if (account !== null) return account;
    throw new GateError("ERR_NOT_FOUND", `Server "${server.slice(0, 100)}" takes no accounts`, {
      hint: "Only servers with auth of type oauth do",
    });
  };
  const callbackUrl = (context: Context, server: string) => {
    const base = deps.publicUrl ?? new URL(context.req.url).origin;
    return new URL(`/connect/${encodeURIComponent(server)}/callback`, base);
  };
  /** A link on another site must not start anything: the person first clicks on our own page. */
  const asked = (handler: VisitHandler): VisitHandler => (context, principal) => {
    if (isOwnOrigin(context.req.raw, deps.publicUrl)) return handler(context, principal);
    const { pathname, search } = new URL(context.req.url);
    return page(
      context,
      <MessagePage shell={shellOf(context)} title="Connect your account">
        <p>
          <a class="button primary" href={pathname + search}>Continue</a>
        </p>
      </MessagePage>,
    );
  };
  app.get(
    "/connect/:server",
    needing(
      "execute",
      asked(async (context, principal) => {
        const server = context.req.param("server") ?? "";
        const callback = callbackUrl(context, server);
        const { authorizationUrl } = await accountOf(server).begin(callback.href, principal);
        return context.redirect(authorizationUrl, 303);
      }),
    ),
  );
  app.get(
    "/connect/:server/finish",
    needing(
      "execute",
      asked(async (context, principal) => {
        const server = context.req.param("server") ?? "";
        const callback = callbackUrl(context, server);
        callback.search = new URL(context.req.url).search;
        await accountOf(server).finish(callback, principal);
        const shell = shellOf(context);
        return await page(
          context,
          <MessagePage shell={shell} title="Your account is connected">
            <p>Calls of this server are made with your own account from now on.</p>
          </MessagePage>,
        );
      }),
    ),
  );
}
