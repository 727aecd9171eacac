import assert from "node:assert/strict";
import { withApp } from "../fakes/app.ts";
import { startHttpMcpServer } from "../fakes/http_mcp_server.ts";

Deno.test("a person connects an account by /connect, and the next call carries its token", async () => {
  const issued = "their-own-token";
  const tokens = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => Response.json({ access_token: issued, token_type: "bearer", expires_in: 3_600 }),
  );
  await using upstream = startHttpMcpServer("stateless", {
    accept: (request) =>
      request.headers.get("authorization") === `Bearer ${issued}`
        ? null
        : new Response("no", { status: 401 }),
  });
  const tokenUrl = `http://127.0.0.1:${tokens.addr.port}/token`;
  const auth = {
    type: "oauth",
    clientId: "gate",
    authorizationUrl: "https://login.example/authorize",
    tokenUrl,
  };
  try {
    const mcpServers = { far: { url: upstream.url, auth } };
    await withApp({ policies: "open", mcpServers }, async (test) => {
      const get = async (path: string) => {
        const response = await test.app.fetch(new Request(`http://127.0.0.1${path}`));
        return { response, text: await response.text() };
      };
      const first = await get("/connect/far");
      assert.equal(first.response.headers.get("location"), "/console/connect/far");
      const link = new Request("http://127.0.0.1/console/connect/far", {
        headers: {
          "sec-fetch-site": "cross-site",
          "sec-fetch-mode": "navigate",
          "sec-fetch-dest": "document",
        },
      });
      const asked = await test.app.fetch(link);
      assert.equal(asked.status, 200, "a link from elsewhere begins nothing");
      assert.match(await asked.text(), /href="\/console\/connect\/far"/);
      const begun = await get("/console/connect/far");
      const login = new URL(begun.response.headers.get("location") ?? "");
      assert.equal(login.origin, "https://login.example");
      const callback = new URL(login.searchParams.get("redirect_uri") ?? "");
      assert.equal(callback.pathname, "/connect/far/callback");

      const state = login.searchParams.get("state") ?? "";
      const back = await get(`${callback.pathname}?code=c&state=${encodeURIComponent(state)}`);
      const next = /url=([^"]+)"/.exec(back.text)?.[1]?.replaceAll("&amp;", "&") ?? "";
      assert.match(next, /^\/console\/connect\/far\/finish\?code=c&state=/);
      const done = await get(next);
      assert.equal(done.response.status, 200, done.text.slice(0, 300));
      assert.match(done.text, /account is connected/);
      const again = await get(next);
      assert.equal(again.response.status, 400, "a state is used once");
      assert.equal((await get("/console/connect/nothing")).response.status, 404);

      const hostile = await get(
        "/connect/far/callback?code=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
      );
      assert.ok(!hostile.text.includes("<script>"));

      const until = Date.now() + 20_000;
      let execution = await test.execute(`return await tools.far.echo({ text: "hi" })`);
      while (execution.status !== "ok" && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        execution = await test.execute(`return await tools.far.echo({ text: "hi" })`);
      }
      assert.equal(execution.status, "ok", JSON.stringify(execution.error));
    });
  } finally {
    await tokens.shutdown();
  }
});
