import assert from "node:assert/strict";
import { createOidcLogin, type OidcLoginOptions } from "../../src/console/oidc_login.ts";
import { GateError } from "../../src/model/errors.ts";
import { type OAuthIssuer, startIssuer } from "../fakes/oauth_issuer.ts";
import { makePrincipal } from "../policy/sample_tools.ts";
import { openBrowser } from "./console_browser.ts";
import { consoleFixture } from "./console_fixture.ts";
import { SHOP_NOW } from "./shop_records.ts";

async function withIssuer(use: (issuer: OAuthIssuer) => Promise<void>): Promise<void> {
  const issuer = await startIssuer("search execute audit");
  try {
    await use(issuer);
  } finally {
    await issuer.close();
  }
}

/** An access token that is none of ours, as the edge says it. */
function notOurs(): Promise<never> {
  return Promise.reject(
    new GateError("ERR_UNAUTHENTICATED", "Cannot authenticate: the token is not valid", {
      hint: "",
    }),
  );
}

function loginAt(issuer: OAuthIssuer, more: Partial<OidcLoginOptions> = {}) {
  return createOidcLogin({
    issuer: issuer.url,
    clientId: issuer.clientId,
    clientSecret: () => Promise.resolve(undefined),
    audience: undefined,
    claims: {},
    verify: notOurs,
    fetch: globalThis.fetch,
    now: Date.now,
    ...more,
  });
}

Deno.test("a person signs in at a real issuer with code, PKCE, state and nonce", async () => {
  await withIssuer(async (issuer) => {
    const login = loginAt(issuer);
    const { url, flow } = await login.begin(issuer.redirectUrl);
    const asked = new URL(url).searchParams;
    assert.equal(asked.get("response_type"), "code");
    assert.equal(asked.get("code_challenge_method"), "S256");
    assert.equal(asked.get("scope"), "openid search execute audit");
    assert.equal(url.includes(JSON.parse(flow).verifier), false);
    const callback = await issuer.logIn(new URL(url));
    const principal = await login.finish(callback, issuer.redirectUrl, flow);
    assert.equal(principal.sub, "ada");
    assert.equal(principal.issuer, issuer.url);
    assert.equal(principal.client, issuer.clientId);
    assert.deepEqual(principal.scopes, ["search", "execute", "audit"]);
  });
});

Deno.test("an access token for us says who it is, as on the API", async () => {
  await withIssuer(async (issuer) => {
    const seen: string[] = [];
    const api = makePrincipal({ sub: "ada", issuer: issuer.url, scopes: ["audit"] });
    const login = loginAt(issuer, {
      audience: "https://tools.example/mcp",
      verify: (token) => {
        seen.push(token);
        return Promise.resolve(api);
      },
    });
    const { url, flow } = await login.begin(issuer.redirectUrl);
    assert.equal(new URL(url).searchParams.get("resource"), "https://tools.example/mcp");
    const callback = await issuer.logIn(new URL(url));
    assert.equal(await login.finish(callback, issuer.redirectUrl, flow), api);
    assert.equal(seen[0]?.split(".").length, 3);
  });
});

Deno.test("an answer that belongs to another login, was made up, or comes twice is refused", async () => {
  await withIssuer(async (issuer) => {
    const login = loginAt(issuer);
    const mine = await login.begin(issuer.redirectUrl);
    const other = await login.begin(issuer.redirectUrl);
    const callback = await issuer.logIn(new URL(mine.url));
    const refused = { code: "ERR_UNAUTHENTICATED" };
    const finish = (url: URL, flow: string) => login.finish(url, issuer.redirectUrl, flow);
    await assert.rejects(finish(callback, other.flow), refused);
    const forged = new URL(callback);
    forged.searchParams.set("code", "guessed");
    await assert.rejects(finish(forged, mine.flow), refused);
    const foreign = new URL(callback);
    foreign.searchParams.set("iss", "https://evil.example");
    await assert.rejects(finish(foreign, mine.flow), refused);
    const wrongVerifier = JSON.stringify({
      ...JSON.parse(mine.flow),
      verifier: JSON.parse(other.flow).verifier,
    });
    await assert.rejects(finish(callback, wrongVerifier), refused);
    assert.equal((await finish(callback, mine.flow)).sub, "ada");
    await assert.rejects(finish(callback, mine.flow), refused);
  });
});

Deno.test("an ID token with another nonce is refused", async () => {
  await withIssuer(async (issuer) => {
    const login = loginAt(issuer);
    const { url, flow } = await login.begin(issuer.redirectUrl);
    const callback = await issuer.logIn(new URL(url));
    const changed = JSON.stringify({ ...JSON.parse(flow), nonce: "another" });
    await assert.rejects(login.finish(callback, issuer.redirectUrl, changed), {
      code: "ERR_UNAUTHENTICATED",
    });
  });
});

Deno.test("a person who does not consent is told so", async () => {
  await withIssuer(async (issuer) => {
    const login = loginAt(issuer);
    const { flow } = await login.begin(issuer.redirectUrl);
    const callback = new URL(issuer.redirectUrl);
    callback.search = new URLSearchParams({
      error: "access_denied",
      state: JSON.parse(flow).state,
      iss: issuer.url,
    }).toString();
    await assert.rejects(login.finish(callback, issuer.redirectUrl, flow), /you did not consent/);
  });
});

Deno.test("an issuer that is away or is not one is an error to show, not a crash", async () => {
  await withIssuer(async (issuer) => {
    const answers: (() => Promise<Response>)[] = [
      () => Promise.reject(new TypeError("connection refused")),
      () => Promise.resolve(new Response("not json")),
      () => Promise.resolve(Response.json({ issuer: "https://other.example" })),
    ];
    for (const fetch of answers) {
      await assert.rejects(loginAt(issuer, { fetch }).begin(issuer.redirectUrl), {
        code: "ERR_UNAUTHENTICATED",
      });
    }
  });
});

Deno.test("the console leads to the issuer and back, with cookies that survive the way", async () => {
  await withIssuer(async (issuer) => {
    // The issuer knows one address to come back to; the console believes to be there.
    const login = loginAt(issuer);
    const ada = makePrincipal({ sub: "ada", scopes: ["audit"] });
    const opened: string[] = [];
    const fixture = await consoleFixture({
      more: {
        oidc: {
          begin: () => login.begin(issuer.redirectUrl),
          finish: async (url, _redirect, flow) => {
            const came = new URL(issuer.redirectUrl);
            came.search = url.search;
            await login.finish(came, issuer.redirectUrl, flow);
            return ada;
          },
        },
        openSession: (principal, how) => {
          opened.push(`${principal.sub} by ${how}`);
          return Promise.resolve({ id: "s1", expiresAtMs: SHOP_NOW + 60_000 });
        },
        sessionPrincipal: (id) => Promise.resolve(id === "s1" ? ada : null),
      },
    });
    try {
      const browser = openBrowser(fixture.deps);
      assert.match(await browser.text("/console/login?next=/console/audit"), /single sign-on/);
      const start = await browser.get("/console/login/start?next=%2Fconsole%2Faudit");
      assert.equal(start.status, 303);
      const [cookie = ""] = start.headers.getSetCookie();
      for (const part of ["SameSite=Lax", "HttpOnly", "Path=/console/login", "Max-Age=600"]) {
        assert.ok(cookie.includes(part), part);
      }
      const callback = await issuer.logIn(new URL(start.headers.get("location") ?? ""));
      const back = `/console/login/callback${callback.search}`;
      const kept = new Map(browser.cookies);
      const html = await browser.text(back);
      assert.match(html, /http-equiv="refresh" content="0; url=\/console\/audit"/);
      assert.deepEqual(opened, ["ada by issuer"]);
      assert.match(await browser.text("/console/audit"), /<h1>Audit/);
      // The flow is remembered once only: neither the same browser nor a copy comes back again.
      const again = await browser.get(back);
      assert.equal(again.status, 400);
      await again.body?.cancel();
      for (const [name, value] of kept) browser.cookies.set(name, value);
      const copied = await browser.get(back);
      assert.equal(copied.status, 401);
      await copied.body?.cancel();
    } finally {
      fixture.close();
    }
  });
});
