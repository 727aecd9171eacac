import { Hono } from "hono";
import { consoleRoutes } from "../../src/console/console_routes.tsx";
import type { ConsoleDeps } from "../../src/console/console_deps.ts";

/** A browser without scripts: keeps cookies, follows nothing, reads the token of forms. */
export interface TestBrowser {
  get(path: string, headers?: HeadersInit): Promise<Response>;
  /** The text of a page that must be there. */
  text(path: string): Promise<string>;
  /** Sends a form with the token that the last page had, as a page of the console would. */
  post(
    path: string,
    fields?: { readonly [name: string]: string },
    headers?: HeadersInit,
  ): Promise<Response>;
  readonly cookies: Map<string, string>;
}

const ORIGIN = "http://127.0.0.1:8484";

export function openBrowser(deps: ConsoleDeps): TestBrowser {
  const app = new Hono().route("/console", consoleRoutes(deps));
  const cookies = new Map<string, string>();
  let token = "";
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await app.request(`${ORIGIN}${path}`, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ""] = cookie.split(";");
      const name = pair.slice(0, pair.indexOf("="));
      if (/max-age=0/i.test(cookie)) cookies.delete(name);
      else cookies.set(name, pair.slice(name.length + 1));
    }
    if (response.headers.get("content-type")?.startsWith("text/html")) {
      const html = await response.clone().text();
      token = /name="token" value="([0-9a-f]+)"/.exec(html)?.[1] ?? token;
    }
    return response;
  };
  const get = (path: string, headers: HeadersInit = {}) => send(path, { headers });
  return {
    cookies,
    get,
    async text(path) {
      const response = await get(path);
      const html = await response.text();
      if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${html}`);
      return html;
    },
    post: (path, fields = {}, headers = {}) =>
      send(path, {
        method: "POST",
        headers: { origin: ORIGIN, "sec-fetch-site": "same-origin", ...headers },
        body: new URLSearchParams({ token, ...fields }),
      }),
  };
}

/** Signs in with a key of the fixture. */
export async function signIn(browser: TestBrowser, key: string): Promise<void> {
  await (await browser.get("/console/login")).body?.cancel();
  const response = await browser.post("/console/login", { key });
  await response.body?.cancel();
  if (response.status !== 303) throw new Error(`Sign-in answered ${response.status}`);
}
