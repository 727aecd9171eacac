import assert from "node:assert/strict";
import {
  Client,
  type OAuthClientProvider,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";
import { createApp } from "../../src/app.ts";
import { ConfigSchema } from "../../src/config/schema.ts";
import { type OAuthIssuer, startIssuer } from "../fakes/oauth_issuer.ts";

/** What an agent keeps between its requests: tokens, verifier, and where the person was sent. */
function createAgent(issuer: OAuthIssuer, scope: string) {
  let tokens: StoredOAuthTokens | undefined;
  let verifier = "";
  let sentTo: URL | undefined;
  const provider: OAuthClientProvider = {
    redirectUrl: issuer.redirectUrl,
    clientMetadata: { redirect_uris: [issuer.redirectUrl], client_name: "agent", scope },
    clientInformation: () => ({ client_id: issuer.clientId }),
    tokens: () => tokens,
    saveTokens: (fresh) => void (tokens = fresh),
    redirectToAuthorization: (url) => void (sentTo = url),
    saveCodeVerifier: (text) => void (verifier = text),
    codeVerifier: () => verifier,
  };
  return { provider, sentTo: () => sentTo, tokens: () => tokens };
}

async function withService(
  issuer: OAuthIssuer,
  auth: { readonly [key: string]: unknown },
  use: (url: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-oauth-" });
  const config = ConfigSchema.parse({
    server: { port: 0 },
    store: "memory:",
    auth: { issuer: issuer.url, ...auth },
    policies: "open",
  });
  const app = await createApp({ config, source: "demo", baseDir: folder, log: () => {} });
  try {
    await use((await app.listen()).url);
  } finally {
    await app.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("an MCP client without a token is led through a log-in to a working search", async () => {
  const issuer = await startIssuer("search execute");
  try {
    await withService(issuer, {}, async (url) => {
      const endpoint = new URL(`${url}/mcp`);
      const agent = createAgent(issuer, "search execute");
      const transport = new StreamableHTTPClientTransport(endpoint, {
        authProvider: agent.provider,
      });
      const first = new Client({ name: "agent", version: "1" });
      await assert.rejects(first.connect(transport), UnauthorizedError);
      const sentTo = agent.sentTo();
      assert.ok(sentTo !== undefined);
      assert.equal(sentTo.searchParams.get("resource"), endpoint.href);
      assert.equal(sentTo.searchParams.get("code_challenge_method"), "S256");

      const callback = await issuer.logIn(sentTo);
      await transport.finishAuth(callback.searchParams);
      const client = new Client({ name: "agent", version: "1" });
      await client.connect(
        new StreamableHTTPClientTransport(endpoint, { authProvider: agent.provider }),
      );
      const found = await client.callTool({ name: "search", arguments: { query: "list orders" } });
      assert.notEqual(found.isError, true);
      await client.close();
    });
  } finally {
    await issuer.close();
  }
});

/** Sends one `tools/call` with a token and answers status and challenge. */
async function callExecute(
  url: string,
  token: string,
): Promise<{ status: number; challenge: string }> {
  const response = await fetch(`${url}/mcp`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "execute", arguments: { code: "return 1" } },
    }),
  });
  await response.body?.cancel();
  return { status: response.status, challenge: response.headers.get("www-authenticate") ?? "" };
}

Deno.test("wrong audience, bad signature, no token and missing scope each get their challenge", async () => {
  const issuer = await startIssuer("search execute");
  const tokenFor = async (resource: string, scope: string): Promise<string> => {
    const agent = createAgent(issuer, scope);
    const verifier = "v".repeat(64);
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    const authorize = new URL(`${issuer.url}/auth`);
    authorize.search = new URLSearchParams({
      client_id: issuer.clientId,
      response_type: "code",
      redirect_uri: String(agent.provider.redirectUrl),
      scope,
      resource,
      code_challenge_method: "S256",
      code_challenge: new Uint8Array(digest).toBase64({ alphabet: "base64url", omitPadding: true }),
    }).toString();
    const callback = await issuer.logIn(authorize);
    const response = await fetch(`${issuer.url}/token`, {
      method: "POST",
      body: new URLSearchParams({
        client_id: issuer.clientId,
        grant_type: "authorization_code",
        code: callback.searchParams.get("code") ?? "",
        redirect_uri: String(agent.provider.redirectUrl),
        code_verifier: verifier,
        resource,
      }),
    });
    const { access_token } = await response.json();
    assert.equal(typeof access_token, "string");
    return access_token;
  };
  try {
    await withService(issuer, {}, async (url) => {
      const metadata = `resource_metadata="${url}/.well-known/oauth-protected-resource/mcp"`;
      const none = await callExecute(url, "");
      assert.equal(none.status, 401);
      assert.ok(none.challenge.includes(metadata), none.challenge);
      assert.ok(!none.challenge.includes("error="), none.challenge);

      const good = await tokenFor(`${url}/mcp`, "search execute");
      assert.equal((await callExecute(url, good)).status, 200);

      const foreign = await callExecute(
        url,
        await tokenFor("https://other.example/mcp", "execute"),
      );
      assert.equal(foreign.status, 401);
      assert.match(foreign.challenge, /error="invalid_token".*aud/);

      const [header, payload, signature = ""] = good.split(".");
      const broken = `${header}.${payload}.${signature.slice(0, -8)}AAAAAAAA`;
      assert.equal((await callExecute(url, broken)).status, 401);

      const narrow = await callExecute(url, await tokenFor(`${url}/mcp`, "search"));
      assert.equal(narrow.status, 403);
      assert.match(narrow.challenge, /error="insufficient_scope".*scope="execute"/);
      assert.ok(narrow.challenge.includes(metadata), narrow.challenge);
    });
  } finally {
    await issuer.close();
  }
});

Deno.test("an expired token is refused with the reason", async () => {
  const { exportJWK, generateKeyPair, SignJWT } = await import("jose");
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "k", alg: "ES256" };
  const jwks = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ keys: [jwk] }),
  );
  const issuerUrl = "https://issuer.example";
  const sign = (expires: number, audience: string) =>
    new SignJWT({ scope: "execute" }).setProtectedHeader({ alg: "ES256", kid: "k" })
      .setIssuer(issuerUrl).setSubject("ada").setAudience(audience)
      .setIssuedAt().setExpirationTime(Math.floor(Date.now() / 1000) + expires).sign(privateKey);
  try {
    const issuer = { url: issuerUrl } as OAuthIssuer;
    const auth = {
      audience: "toolgate",
      jwksUrl: `http://127.0.0.1:${jwks.addr.port}/`,
      clockSkewSeconds: 5,
    };
    await withService(issuer, auth, async (url) => {
      assert.equal((await callExecute(url, await sign(60, "toolgate"))).status, 200);
      assert.equal((await callExecute(url, await sign(-3, "toolgate"))).status, 200, "clock skew");
      const expired = await callExecute(url, await sign(-60, "toolgate"));
      assert.equal(expired.status, 401);
      assert.match(expired.challenge, /expired/);
      assert.equal((await callExecute(url, await sign(60, `${url}/mcp`))).status, 401);
    });
  } finally {
    await jwks.shutdown();
  }
});
