export interface TokenServer extends AsyncDisposable {
  readonly url: string;
  /** Every request to the token endpoint: its form, and how the client sent its secret. */
  readonly requests: { readonly form: { [name: string]: string }; readonly by: string }[];
  /** Tokens that are valid now. */
  readonly valid: Set<string>;
}

export interface TokenServerOptions {
  readonly expiresIn?: number;
  readonly accepts?: "basic" | "post";
  /** Returns an error to answer instead of a token, or null. */
  readonly refuse?: (form: { [name: string]: string }) => string | null;
}

/** A token endpoint on loopback that gives a new token each time. */
export function startTokenServer(options: TokenServerOptions = {}): TokenServer {
  const requests: TokenServer["requests"] = [];
  const valid = new Set<string>();
  let count = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const form = Object.fromEntries(new URLSearchParams(await request.text()));
    const by = request.headers.has("authorization")
      ? "basic"
      : form.client_secret !== undefined
      ? "post"
      : "none";
    requests.push({ form, by });
    const error = options.accepts !== undefined && by !== options.accepts
      ? "invalid_client"
      : options.refuse?.(form) ?? null;
    if (error !== null) {
      return Response.json({ error }, { status: error === "invalid_client" ? 401 : 400 });
    }
    count += 1;
    const access_token = `access-token-${count}`;
    valid.add(access_token);
    return Response.json({
      access_token,
      token_type: "Bearer",
      ...(options.expiresIn === undefined ? {} : { expires_in: options.expiresIn }),
      ...(form.grant_type === "client_credentials"
        ? {}
        : { refresh_token: `refresh-token-${count}` }),
      id_token: "not.a.token",
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/token`,
    requests,
    valid,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
