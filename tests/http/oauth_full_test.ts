import assert from "node:assert/strict";
import {
  Client,
  type OAuthClientProvider,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";
import {
  CompactSign,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from "jose";
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

/** An issuer's signing key, its documents, and a service that trusts it. */
async function withSigner(
  use: (signer: {
    readonly url: string;
    readonly issuer: string;
    readonly privateKey: CryptoKey;
    readonly jwk: JWK;
    /** A good token, after changes to its claims; undefined leaves one out. */
    readonly sign: (changes?: JWTPayload, header?: JWTHeaderParameters) => Promise<string>;
  }) => Promise<void>,
): Promise<void> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "k", alg: "ES256" };
  const jwks = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ keys: [jwk] }),
  );
  const issuer = "https://issuer.example";
  const seconds = Math.floor(Date.now() / 1000);
  const sign = (
    changes: JWTPayload = {},
    header: JWTHeaderParameters = { alg: "ES256", kid: "k" },
  ) =>
    new SignJWT({
      iss: issuer,
      sub: "ada",
      aud: "toolgate",
      iat: seconds,
      exp: seconds + 60,
      scope: "execute",
      ...changes,
    }).setProtectedHeader(header).sign(privateKey);
  const auth = {
    audience: "toolgate",
    jwksUrl: `http://127.0.0.1:${jwks.addr.port}/`,
    clockSkewSeconds: 5,
  };
  try {
    await withService({ url: issuer } as OAuthIssuer, auth, async (url) => {
      await use({ url, issuer, privateKey, jwk, sign });
    });
  } finally {
    await jwks.shutdown();
  }
}

Deno.test("an expired token is refused with the reason", async () => {
  await withSigner(async ({ url, sign }) => {
    const seconds = Math.floor(Date.now() / 1000);
    assert.equal((await callExecute(url, await sign())).status, 200);
    assert.equal((await callExecute(url, await sign({ exp: seconds - 3 }))).status, 200, "skew");
    const expired = await callExecute(url, await sign({ exp: seconds - 60 }));
    assert.equal(expired.status, 401);
    assert.match(expired.challenge, /expired/);
    assert.equal((await callExecute(url, await sign({ aud: `${url}/mcp` }))).status, 401);
  });
});

Deno.test("no forged token is let in, each is a 401 with a challenge", async () => {
  await withSigner(async ({ url, issuer, privateKey, jwk, sign }) => {
    const encode = (value: unknown) =>
      new TextEncoder().encode(JSON.stringify(value)).toBase64({
        alphabet: "base64url",
        omitPadding: true,
      });
    const seconds = Math.floor(Date.now() / 1000);
    const good = await sign();
    const [, payload = ""] = good.split(".");
    const stranger = await generateKeyPair("ES256");
    const strangerJwk = await exportJWK(stranger.publicKey);
    const claims = {
      iss: issuer,
      sub: "ada",
      aud: "toolgate",
      exp: seconds + 60,
      scope: "execute",
    };
    const byStranger = (header: JWTHeaderParameters) =>
      new SignJWT(claims).setProtectedHeader(header).sign(stranger.privateKey);
    const byHmac = (secret: string) =>
      new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "k" })
        .sign(new TextEncoder().encode(secret.padEnd(32)));
    const forged: { readonly [trick: string]: string } = {
      "alg none, no signature": `${encode({ alg: "none" })}.${payload}.`,
      "alg none, the good signature": `${encode({ alg: "none", kid: "k" })}.${
        good.split(".").slice(1).join(".")
      }`,
      "HS256 with the public key as its secret": await byHmac(JSON.stringify(jwk)),
      "HS256 with a coordinate as its secret": await byHmac(String(jwk.x)),
      "a stranger's key under the known kid": await byStranger({ alg: "ES256", kid: "k" }),
      "a stranger's key in the header": await byStranger({ alg: "ES256", jwk: strangerJwk }),
      "a stranger's key at a jku": await byStranger({
        alg: "ES256",
        jku: `${url}/healthz`,
        kid: "k",
      }),
      "a kid that is a path": await byStranger({ alg: "ES256", kid: "../../../dev/null" }),
      "an unknown critical header": await new CompactSign(
        new TextEncoder().encode(JSON.stringify(claims)),
      ).setProtectedHeader({ alg: "ES256", kid: "k", crit: ["ext"], ext: 1 })
        .sign(privateKey, { crit: { ext: true } }),
      "claims changed after signing": good.replace(payload, encode({ ...claims, sub: "root" })),
      "another issuer": await sign({ iss: "https://other.example" }),
      "the issuer with a slash": await sign({ iss: `${issuer}/` }),
      "no issuer": await sign({ iss: undefined }),
      "no audience": await sign({ aud: undefined }),
      "another audience in a list": await sign({ aud: ["a", "toolgate2"] }),
      "no expiry": await sign({ exp: undefined }),
      "not yet valid": await sign({ nbf: seconds + 3_600 }),
      "no subject": await sign({ sub: undefined }),
      "an empty subject": await sign({ sub: "" }),
      "four parts": `${good}.x`,
      "a text that is not a token": "x".repeat(50_000),
    };
    for (const [trick, token] of Object.entries(forged)) {
      const { status, challenge } = await callExecute(url, token);
      assert.equal(status, 401, trick);
      assert.match(challenge, /^Bearer .*error="invalid_token"/, trick);
    }
    assert.equal((await callExecute(url, good)).status, 200, "and the good one still is");
  });
});

Deno.test("an issuer that cannot be reached is not a reason to log in again", async () => {
  const issuer = await startIssuer("search");
  await withService(issuer, {}, async (url) => {
    await issuer.close();
    const response = await fetch(`${url}/mcp`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${await signedByNobody()}`,
        "content-type": "application/json",
      },
      body: "{}",
    });
    assert.equal(response.status, 502);
    assert.equal(response.headers.get("www-authenticate"), null);
    assert.equal(response.headers.get("retry-after"), "5");
    const { code, detail } = await response.json();
    assert.equal(code, "ERR_UPSTREAM_UNREACHABLE");
    assert.match(detail, /auth\.issuer/);
  });
});

async function signedByNobody(): Promise<string> {
  const { privateKey } = await generateKeyPair("RS256");
  return await new SignJWT({}).setProtectedHeader({ alg: "RS256", kid: "k" }).sign(privateKey);
}
