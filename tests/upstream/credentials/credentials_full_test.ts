import assert from "node:assert/strict";
import { GateError } from "../../../src/model/errors.ts";
import { personKey, type Principal } from "../../../src/model/principal.ts";
import {
  createUserTokens,
  type SealedStore,
} from "../../../src/upstream/credentials/user_tokens.ts";
import { startHttpMcpServer } from "../../fakes/http_mcp_server.ts";
import { startTokenServer, type TokenServer } from "../../fakes/token_server.ts";
import { ANNA, callOf, openTestUpstreams, until } from "../../fakes/upstream_parts.ts";

const BERT: Principal = { ...ANNA, sub: "bert", client: "k2" };
const withCode = (code: string) => (error: unknown) =>
  error instanceof GateError && error.code === code;

/** An MCP server that wants one of the token server's tokens; remembers which it saw. */
function startGuarded(tokens: TokenServer) {
  const seen: string[] = [];
  const server = startHttpMcpServer("stateless", {
    accept(request) {
      const token = request.headers.get("authorization")?.replace("Bearer ", "") ?? "";
      if (!tokens.valid.has(token)) return new Response("no", { status: 401 });
      seen.push(token);
      return null;
    },
  });
  return { url: server.url, seen, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

function config(url: string, auth: { [key: string]: unknown }) {
  return {
    mcpServers: {
      far: { url, auth: { clientId: "gate", clientSecret: "${env:SECRET}", ...auth } },
    },
  };
}

Deno.test("client credentials get one token for many calls, and another when it is refused", async () => {
  await using tokens = startTokenServer({ expiresIn: 3_600 });
  await using server = startGuarded(tokens);
  const auth = { type: "client_credentials", tokenUrl: tokens.url, scope: "read", audience: "far" };
  await using upstreams = openTestUpstreams(config(server.url, auth));
  const call = () => upstreams.call(callOf("far", "echo", { text: "x" }));
  const answers = await Promise.all([call(), call(), call()]);
  assert.ok(
    answers.every(({ isError, credential }) => !isError && credential === "client_credentials"),
  );
  assert.equal(tokens.requests.length, 1);
  assert.deepEqual(tokens.requests[0], {
    form: { grant_type: "client_credentials", scope: "read", audience: "far" },
    by: "basic",
  });
  tokens.valid.clear();
  assert.equal((await call()).isError, false);
  assert.equal(tokens.requests.length, 2);
  assert.ok(!upstreams.logged.some((line) => /s3cret|access-token/.test(line)));
});

Deno.test("a token that is about to run out is replaced before it is used", async () => {
  await using tokens = startTokenServer({ expiresIn: 10 });
  await using server = startGuarded(tokens);
  const auth = { type: "client_credentials", tokenUrl: tokens.url };
  await using upstreams = openTestUpstreams(config(server.url, auth));
  await upstreams.call(callOf("far", "echo", { text: "1" }));
  const before = tokens.requests.length;
  await upstreams.call(callOf("far", "echo", { text: "2" }));
  assert.ok(tokens.requests.length > before);
});

Deno.test("a server that takes the secret in the form only gets it there", async () => {
  await using tokens = startTokenServer({ accepts: "post" });
  await using server = startGuarded(tokens);
  const auth = { type: "client_credentials", tokenUrl: tokens.url };
  await using upstreams = openTestUpstreams(config(server.url, auth));
  await upstreams.call(callOf("far", "echo", { text: "1" }));
  assert.deepEqual(tokens.requests.map(({ by }) => by), ["basic", "post"]);
});

Deno.test("a token endpoint that refuses is an error without secrets", async () => {
  await using tokens = startTokenServer({ refuse: () => "invalid_scope" });
  await using server = startGuarded(tokens);
  const auth = { type: "client_credentials", tokenUrl: tokens.url };
  await using upstreams = openTestUpstreams(config(server.url, auth));
  await assert.rejects(upstreams.call(callOf("far", "echo", { text: "1" })), (error) => {
    assert.ok(withCode("ERR_CREDENTIAL")(error));
    const { message, hint } = error as GateError;
    return !/s3cret/.test(message + hint);
  });
  assert.match(upstreams.status("far").error ?? "", /invalid_scope/);
  assert.equal(server.seen.length, 0);
});

Deno.test("token exchange gives each caller a token and a connection of their own", async () => {
  await using tokens = startTokenServer({ expiresIn: 3_600 });
  await using server = startGuarded(tokens);
  const auth = { type: "token_exchange", tokenUrl: tokens.url, audience: "far" };
  await using upstreams = openTestUpstreams(config(server.url, auth), {
    subjectToken: ({ sub }) => Promise.resolve(sub === "carl" ? null : `subject-of-${sub}`),
  });
  await upstreams.list("far");
  const call = (principal: Principal) =>
    upstreams.call(callOf("far", "echo", { text: "x" }, { principal }));
  await Promise.all([call(ANNA), call(BERT), call(ANNA)]);
  const grants = tokens.requests.map(({ form }) => form.subject_token ?? form.grant_type).sort();
  assert.deepEqual(grants, ["client_credentials", "subject-of-anna", "subject-of-bert"]);
  const exchange = tokens.requests.find(({ form }) => form.subject_token === "subject-of-anna");
  assert.equal(exchange?.form.grant_type, "urn:ietf:params:oauth:grant-type:token-exchange");
  assert.equal(exchange?.form.audience, "far");
  await assert.rejects(call({ ...ANNA, sub: "carl" }), withCode("ERR_CREDENTIAL"));
});

/** What a store gives, with what it was given in the open. */
function memoryStore() {
  const rows = new Map<string, string>();
  const store: SealedStore = {
    get: (key) => Promise.resolve(rows.get(key) ?? null),
    put: (key, value) => Promise.resolve(void rows.set(key, value)),
    delete: (key) => Promise.resolve(void rows.delete(key)),
    list: (prefix, limit) =>
      Promise.resolve([...rows.keys()].filter((key) => key.startsWith(prefix)).slice(0, limit)),
  };
  return { rows, store };
}

async function sealingKey(): Promise<CryptoKey> {
  return await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
}

const REDIRECT = "https://gate.example/connect/far/callback";

Deno.test({
  name: "a person connects their account, and calls carry their token",
  // A look-up of the stored token may be under way when the upstream is closed; it ends by itself.
  sanitizeOps: false,
  fn: connectsAccount,
});

async function connectsAccount(): Promise<void> {
  await using tokens = startTokenServer({ expiresIn: 3_600 });
  await using server = startGuarded(tokens);
  const { rows, store } = memoryStore();
  const authorizationUrl = "https://login.example/authorize?tenant=1";
  const auth = { type: "oauth", tokenUrl: tokens.url, authorizationUrl, scope: "read" };
  await using upstreams = openTestUpstreams(config(server.url, auth), {
    userTokens: createUserTokens(store, await sealingKey()),
  });
  const user = upstreams.userOAuth("far");
  assert.ok(user !== null);
  for (let attempts = 0; attempts < 8; attempts++) {
    await assert.rejects(upstreams.list("far"), withCode("ERR_CREDENTIAL"));
  }
  await assert.rejects(
    upstreams.call(callOf("far", "echo", { text: "x" })),
    (error) => withCode("ERR_CREDENTIAL")(error) && /connect\/far/.test((error as GateError).hint),
  );

  const login = new URL((await user.begin(REDIRECT, ANNA)).authorizationUrl);
  assert.equal(login.origin + login.pathname, "https://login.example/authorize");
  const asked = Object.fromEntries(login.searchParams);
  assert.equal(asked.tenant, "1");
  assert.equal(asked.response_type, "code");
  assert.equal(asked.redirect_uri, REDIRECT);
  assert.equal(asked.code_challenge_method, "S256");
  const callback = new URL(`${REDIRECT}?code=the-code&state=${asked.state}`);

  await assert.rejects(user.finish(callback, BERT), withCode("ERR_CREDENTIAL"));
  await assert.rejects(user.finish(callback, ANNA), withCode("ERR_CREDENTIAL"));

  const again = new URL((await user.begin(REDIRECT, ANNA)).authorizationUrl).searchParams.get(
    "state",
  );
  const changed: string[] = [];
  upstreams.onListChanged((server) => changed.push(server));
  await user.finish(new URL(`${REDIRECT}?code=the-code&state=${again}`), ANNA);
  await until("the server is listed anew", () => changed.length > 0);
  assert.equal((await upstreams.list("far")).tools.length, 4);
  const form = tokens.requests.at(-1)?.form;
  assert.equal(form?.code, "the-code");
  assert.ok((form?.code_verifier ?? "").length >= 43);
  assert.equal(await user.isConnected(ANNA), true);
  assert.equal(await user.isConnected(BERT), false);

  const answer = await upstreams.call(callOf("far", "echo", { text: "x" }));
  assert.equal(answer.credential, "oauth");
  await assert.rejects(
    upstreams.call(callOf("far", "echo", { text: "x" }, { principal: BERT })),
    withCode("ERR_CREDENTIAL"),
  );
  assert.ok([...rows].every(([place, value]) => !/anna|token-/.test(place + value)));
  await user.disconnect(ANNA);
  assert.equal(await user.isConnected(ANNA), false);
}

Deno.test("a person's token is refreshed once for many calls, and the new refresh token is kept", async () => {
  await using tokens = startTokenServer({ expiresIn: 1 });
  await using server = startGuarded(tokens);
  const { store } = memoryStore();
  const userTokens = createUserTokens(store, await sealingKey());
  const key = personKey(ANNA);
  await userTokens.write("far", key, {
    value: "old",
    expiresAt: 0,
    refreshToken: "refresh-token-0",
  });
  const auth = { type: "oauth", tokenUrl: tokens.url, authorizationUrl: "https://login.example/" };
  await using upstreams = openTestUpstreams(config(server.url, auth), { userTokens });
  const user = upstreams.userOAuth("far");
  const all = await Promise.all([1, 2, 3].map(() => user?.token(key)));
  assert.deepEqual(all, ["access-token-1", "access-token-1", "access-token-1"]);
  assert.deepEqual(tokens.requests.map(({ form }) => form.refresh_token), ["refresh-token-0"]);
  assert.equal((await userTokens.read("far", key))?.refreshToken, "refresh-token-1");
});

Deno.test("a refresh token that another replica has used leads to that replica's token", async () => {
  const { store } = memoryStore();
  const userTokens = createUserTokens(store, await sealingKey());
  const key = "someone";
  await userTokens.write("far", key, { value: "old", expiresAt: 0, refreshToken: "used" });
  const theirs = { value: "theirs", expiresAt: Date.now() + 3_600_000, refreshToken: "next" };
  await using tokens = startTokenServer({ refuse: () => "invalid_grant" });
  const slow = {
    ...userTokens,
    // The other replica finishes between our first look and our refresh.
    read: (() => {
      let reads = 0;
      return async (server: string, of: string) => {
        if (++reads === 2) await userTokens.write("far", key, theirs);
        return await userTokens.read(server, of);
      };
    })(),
  };
  const auth = { type: "oauth", tokenUrl: tokens.url, authorizationUrl: "https://login.example/" };
  await using upstreams = openTestUpstreams(config("http://127.0.0.1:1/mcp", auth), {
    userTokens: slow,
  });
  assert.equal(await upstreams.userOAuth("far")?.token(key), "theirs");
});

Deno.test("a sealed token does not open in another place", async () => {
  const { rows, store } = memoryStore();
  const userTokens = createUserTokens(store, await sealingKey());
  await userTokens.write("far", "anna", { value: "t", expiresAt: null, refreshToken: null });
  await userTokens.write("far", "bert", { value: "u", expiresAt: null, refreshToken: null });
  const [first = "", second = ""] = rows.keys();
  rows.set(second, rows.get(first) ?? "");
  await assert.rejects(userTokens.read("far", "bert"));
  assert.equal((await userTokens.read("far", "anna"))?.value, "t");
});
