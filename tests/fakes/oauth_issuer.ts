import Provider from "oidc-provider";

/** A real OAuth 2.1 / OpenID Connect authorization server on loopback, with one public client. */
export interface OAuthIssuer {
  readonly url: string;
  readonly clientId: string;
  readonly redirectUrl: string;
  /** Logs in and consents as a person with a browser; returns the redirect with the code. */
  logIn(authorizationUrl: URL): Promise<URL>;
  close(): Promise<void>;
}

const REDIRECT_URL = "http://127.0.0.1:1/callback";

/** @param scopes of every resource, separated by spaces. */
export async function startIssuer(scopes: string): Promise<OAuthIssuer> {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const provider = new Provider(url, {
    clients: [{
      client_id: "agent",
      token_endpoint_auth_method: "none",
      redirect_uris: [REDIRECT_URL],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      application_type: "native",
    }],
    scopes: ["openid", ...scopes.split(" ")],
    features: {
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: scopes, accessTokenFormat: "jwt" }),
      },
    },
  });
  const server = provider.listen(port, "127.0.0.1");
  await new Promise<void>((resolve) => server.once("listening", resolve));
  return {
    url,
    clientId: "agent",
    redirectUrl: REDIRECT_URL,
    logIn: (authorizationUrl) => logIn(authorizationUrl),
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** Follows redirects and fills in the two forms of the provider, with a cookie jar. */
async function logIn(authorizationUrl: URL): Promise<URL> {
  const cookies = new Map<string, string>();
  const forms: { [name: string]: string }[] = [{ prompt: "login", login: "ada", password: "any" }, {
    prompt: "consent",
  }];
  let next = authorizationUrl;
  let form: { [name: string]: string } | undefined;
  for (let step = 0; step < 20; step++) {
    const response = await fetch(next, {
      redirect: "manual",
      method: form === undefined ? "GET" : "POST",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ""] = cookie.split(";");
      cookies.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    await response.body?.cancel();
    const location = response.headers.get("location");
    if (location === null) {
      form = forms.shift();
      if (form === undefined) throw new Error(`The log-in stopped at ${next} (${response.status})`);
      continue;
    }
    form = undefined;
    next = new URL(location, next);
    if (next.href.startsWith(REDIRECT_URL)) return next;
  }
  throw new Error("The log-in did not end");
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
