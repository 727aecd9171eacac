import assert from "node:assert/strict";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { createJwtVerifier, type JwtVerifierDeps, type OAuthConfig } from "../../src/auth/jwt.ts";
import { GateError } from "../../src/model/errors.ts";

const ISSUER = "https://issuer.example/tenant";
const AUDIENCE = "https://gate.example/mcp";
const NOW_MS = 1_767_225_600_000;

const signing = await generateKeyPair("ES256");
const foreign = await generateKeyPair("ES256");
const KEYS = { keys: [{ ...await exportJWK(signing.publicKey), kid: "k1", alg: "ES256" }] };
const CONFIG: OAuthConfig = { issuer: ISSUER, clockSkewSeconds: 30, claims: {} };

/** The issuer's documents by path; every other one is missing. */
function issuerWith(documents: { readonly [url: string]: unknown }) {
  const asked: string[] = [];
  const fetch: JwtVerifierDeps["fetch"] = (input) => {
    const url = input instanceof Request ? input.url : String(input);
    asked.push(url);
    const document = documents[url];
    if (document instanceof Error) return Promise.reject(document);
    return Promise.resolve(
      document === undefined ? new Response("not here", { status: 404 }) : Response.json(document),
    );
  };
  return { asked, fetch };
}

const METADATA = "https://issuer.example/.well-known/oauth-authorization-server/tenant";
const OPENID = "https://issuer.example/tenant/.well-known/openid-configuration";
const JWKS = "https://keys.example/jwks";
const DOCUMENTS = { [METADATA]: { issuer: ISSUER, jwks_uri: JWKS }, [JWKS]: KEYS };

function tokenOf(claims: JWTPayload, key: CryptoKey = signing.privateKey, kid = "k1") {
  return new SignJWT({
    sub: "ada",
    iss: ISSUER,
    aud: AUDIENCE,
    exp: NOW_MS / 1_000 + 60,
    ...claims,
  }).setProtectedHeader({ alg: "ES256", kid }).sign(key);
}

function verifierWith(config: Partial<OAuthConfig> = {}, documents: object = DOCUMENTS) {
  const issuer = issuerWith({ ...documents });
  const verify = createJwtVerifier({ ...CONFIG, ...config }, { now: () => NOW_MS, ...issuer });
  return { verify, asked: issuer.asked };
}

async function refusal(verifying: Promise<unknown>): Promise<GateError> {
  const error = await verifying.then(() => null, (error) => error);
  assert.ok(error instanceof GateError, "the token was accepted");
  return error;
}

Deno.test("a token of the issuer is a principal with its claims, client and scopes", async () => {
  const { verify } = verifierWith();
  const token = await tokenOf({ client_id: "web", scope: "search  execute", groups: ["eng"] });
  const principal = await verify(token, AUDIENCE);
  assert.ok(principal !== null);
  const { claims, ...rest } = principal;
  assert.equal(claims.sub, "ada");
  assert.deepEqual(claims.groups, ["eng"]);
  assert.deepEqual(rest, {
    sub: "ada",
    issuer: ISSUER,
    client: "web",
    scopes: ["search", "execute"],
    spaces: null,
  });
});

Deno.test("metadata and keys come through the fetch that was given, and are asked for once", async () => {
  const { verify, asked } = verifierWith();
  const token = await tokenOf({});
  await verify(token, AUDIENCE);
  await verify(token, AUDIENCE);
  assert.deepEqual(asked, [METADATA, JWKS]);
});

Deno.test("with auth.jwksUrl nothing but the keys is asked for", async () => {
  const { verify, asked } = verifierWith({ jwksUrl: JWKS }, { [JWKS]: KEYS });
  assert.equal((await verify(await tokenOf({}), AUDIENCE))?.sub, "ada");
  assert.deepEqual(asked, [JWKS]);
});

Deno.test("an issuer with an OpenID configuration alone is found, one that names another is not", async () => {
  const openid = { [OPENID]: { issuer: `${ISSUER}/`, jwks_uri: JWKS }, [JWKS]: KEYS };
  assert.equal((await verifierWith({}, openid).verify(await tokenOf({}), AUDIENCE))?.sub, "ada");
  const other = { [METADATA]: { issuer: "https://evil.example", jwks_uri: JWKS }, [JWKS]: KEYS };
  const { verify, asked } = verifierWith({}, other);
  const error = await refusal(verify(await tokenOf({}), AUDIENCE));
  assert.equal(error.code, "ERR_UPSTREAM_UNREACHABLE");
  assert.ok(!asked.includes(JWKS), "keys of another issuer were asked for");
});

Deno.test("claims that the configuration names are the subject, the client and the scopes", async () => {
  const { verify } = verifierWith({ claims: { sub: "upn", client: "app", scopes: "roles" } });
  const token = await tokenOf({ upn: "ada@x", app: "desk", roles: ["search", 7], azp: "no" });
  const principal = await verify(token, AUDIENCE);
  assert.equal(principal?.sub, "ada@x");
  assert.equal(principal?.client, "desk");
  assert.deepEqual(principal?.scopes, ["search"]);
});

Deno.test("scp stands for scope and azp for client_id where those are missing", async () => {
  const principal = await verifierWith().verify(
    await tokenOf({ azp: "web", scp: ["audit"] }),
    AUDIENCE,
  );
  assert.equal(principal?.client, "web");
  assert.deepEqual(principal?.scopes, ["audit"]);
});

Deno.test("the audience is the resource or its origin, and only the configured one if there is one", async () => {
  const { verify } = verifierWith();
  for (const aud of [AUDIENCE, "https://gate.example", "https://gate.example/"]) {
    assert.equal((await verify(await tokenOf({ aud }), AUDIENCE))?.sub, "ada", aud);
  }
  const error = await refusal(verify(await tokenOf({ aud: "https://other.example" }), AUDIENCE));
  assert.match(error.message, /"aud" claim/);
  const fixed = verifierWith({ audience: "gate" }).verify;
  assert.equal((await fixed(await tokenOf({ aud: "gate" }), AUDIENCE))?.sub, "ada");
  assert.match((await refusal(fixed(await tokenOf({}), AUDIENCE))).message, /"aud" claim/);
});

Deno.test("a token ends with its time and the clock's tolerance, and must have an end", async () => {
  const { verify } = verifierWith();
  const endedFor = (seconds: number) => tokenOf({ exp: NOW_MS / 1_000 - seconds });
  assert.equal((await verify(await endedFor(29), AUDIENCE))?.sub, "ada");
  assert.match((await refusal(verify(await endedFor(31), AUDIENCE))).message, /has expired/);
  const endless = await tokenOf({ exp: undefined });
  assert.match((await refusal(verify(endless, AUDIENCE))).message, /"exp" claim/);
  const early = await tokenOf({ nbf: NOW_MS / 1_000 + 31 });
  assert.match((await refusal(verify(early, AUDIENCE))).message, /"nbf" claim/);
});

Deno.test("a token of another issuer, without a subject or with another signature is refused", async () => {
  const { verify } = verifierWith();
  const elsewhere = await tokenOf({ iss: "https://evil.example" });
  assert.match((await refusal(verify(elsewhere, AUDIENCE))).message, /"iss" claim/);
  for (const sub of [undefined, ""]) {
    const nobody = await refusal(verify(await tokenOf({ sub }), AUDIENCE));
    assert.match(nobody.message, /names no subject/);
  }
  const forged = await refusal(verify(await tokenOf({}, foreign.privateKey), AUDIENCE));
  assert.equal(forged.code, "ERR_UNAUTHENTICATED");
  const unknown = await refusal(verify(await tokenOf({}, signing.privateKey, "k9"), AUDIENCE));
  assert.equal(unknown.code, "ERR_UNAUTHENTICATED");
});

Deno.test("a token without a signature, or signed with a shared secret, is refused", async () => {
  const { verify } = verifierWith();
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
  const claims = { sub: "ada", iss: ISSUER, aud: AUDIENCE, exp: NOW_MS / 1_000 + 60 };
  const unsigned = `${part({ alg: "none" })}.${part(claims)}.`;
  const shared = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "k1" })
    .sign(new TextEncoder().encode(JSON.stringify(KEYS.keys[0])));
  for (const token of [unsigned, shared, "a.b.c", ".."]) {
    assert.equal((await refusal(verify(token, AUDIENCE))).code, "ERR_UNAUTHENTICATED", token);
  }
});

Deno.test("what is not a JWT is left to other verifiers, and nothing is asked for", async () => {
  const { verify, asked } = verifierWith();
  for (const token of ["", "tg_0_0", "a.b", "a.b.c.d"]) {
    assert.equal(await verify(token, AUDIENCE), null, token);
  }
  assert.deepEqual(asked, []);
});

Deno.test("an issuer that is away is not the token's fault, and is asked again at the next request", async () => {
  const documents: { [url: string]: unknown } = { [METADATA]: new TypeError("refused") };
  const issuer = issuerWith(documents);
  const verify = createJwtVerifier(CONFIG, { now: () => NOW_MS, fetch: issuer.fetch });
  const token = await tokenOf({});
  const error = await refusal(verify(token, AUDIENCE));
  assert.equal(error.code, "ERR_UPSTREAM_UNREACHABLE");
  assert.equal(error.retryAfterMs, 5_000);
  Object.assign(documents, DOCUMENTS);
  assert.equal((await verify(token, AUDIENCE))?.sub, "ada");
});
