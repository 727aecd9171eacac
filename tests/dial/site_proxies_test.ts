import assert from "node:assert/strict";
import { readSiteProxies } from "../../src/dial/site_proxies.ts";
import { GateError } from "../../src/model/errors.ts";
import { childEnvironment } from "../../src/upstream/mcp/child_environment.ts";

const PROXY = "http://proxy.site:3128";

function isProxied(url: string, env: { readonly [name: string]: string }): boolean {
  return readSiteProxies(env)(new URL(url)) !== null;
}

Deno.test("readSiteProxies() gives each scheme its proxy, in either case of the variable", () => {
  const cases = [
    [{ HTTP_PROXY: PROXY }, true, false],
    [{ http_proxy: PROXY }, true, false],
    [{ HTTPS_PROXY: PROXY }, false, true],
    [{ https_proxy: PROXY }, false, true],
    [{ ALL_PROXY: PROXY }, true, true],
    [{ all_proxy: PROXY }, true, true],
    [{ HTTP_PROXY: "", http_proxy: PROXY }, true, false],
    [{ HTTP_PROXY: PROXY, REQUEST_METHOD: "GET" }, false, false],
    [{ http_proxy: PROXY, REQUEST_METHOD: "GET" }, true, false],
    [{}, false, false],
  ] as const;
  for (const [env, http, https] of cases) {
    assert.equal(isProxied("http://a.example/", { ...env }), http, JSON.stringify(env));
    assert.equal(isProxied("https://a.example/", { ...env }), https, JSON.stringify(env));
  }
});

Deno.test("readSiteProxies() calls loopback directly, whatever is set", () => {
  const env = { ALL_PROXY: PROXY };
  const hosts = ["localhost", "api.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "localhost."];
  for (const host of hosts) assert.ok(!isProxied(`http://${host}:8080/`, env), host);
  assert.ok(isProxied("http://127.example/", env));
});

Deno.test("NO_PROXY names domains, addresses, ranges and ports", () => {
  const yes: readonly (readonly [exceptions: string, url: string])[] = [
    ["*", "https://any.example/"],
    ["a.example", "https://a.example/"],
    ["a.example", "https://deep.a.example/"],
    [".a.example", "https://deep.a.example/"],
    [".a.example", "https://a.example/"],
    ["*.a.example", "https://deep.a.example/"],
    ["A.Example", "https://a.example/"],
    ["a.example", "https://a.example./"],
    ["x, a.example", "https://a.example/"],
    ["x a.example", "https://a.example/"],
    ["a.example:8443", "https://a.example:8443/"],
    ["a.example:443", "https://a.example/"],
    ["10.0.0.0/8", "http://10.1.2.3/"],
    ["10.1.2.3", "http://10.1.2.3/"],
    ["fd00::/8", "http://[fd12::1]/"],
    ["[fd00::]/8", "http://[fd12::1]/"],
    ["[fd12::1]:8080", "http://[fd12::1]:8080/"],
  ];
  const no: readonly (readonly [exceptions: string, url: string])[] = [
    ["", "https://a.example/"],
    ["a.example", "https://ba.example/"],
    ["a.example", "https://a.example.evil/"],
    ["a.example:8443", "https://a.example/"],
    ["10.0.0.0/8", "http://11.1.2.3/"],
    ["10.0.0.0/99", "http://11.1.2.3/"],
    ["0.1.2.3", "http://10.1.2.3/"],
  ];
  for (const [exceptions, url] of yes) {
    assert.ok(!isProxied(url, { ALL_PROXY: PROXY, no_proxy: exceptions }), `${exceptions} ${url}`);
  }
  for (const [exceptions, url] of no) {
    assert.ok(isProxied(url, { ALL_PROXY: PROXY, NO_PROXY: exceptions }), `${exceptions} ${url}`);
  }
});

Deno.test("a proxy may be written without a scheme, with a password, and as SOCKS", () => {
  const read = (text: string) =>
    readSiteProxies({ HTTPS_PROXY: text })(new URL("https://a.example"));
  assert.deepEqual(read("proxy.site:3128"), { url: PROXY, name: "proxy.site:3128" });
  assert.deepEqual(read("http://me:p%40ss%25@proxy.site:3128/"), {
    url: PROXY,
    name: "proxy.site:3128",
    basicAuth: { username: "me", password: "p@ss%" },
  });
  assert.equal(read("socks5h://proxy.site")?.url, "socks5h://proxy.site:1080");
  assert.equal(read("https://[::2]")?.url, "https://[::2]:443");
});

Deno.test("a proxy that is not one is refused, and its password is not repeated", () => {
  for (const text of ["http://", "ftp://me:s3cret@proxy", "http://me:s3cret@pro xy:1"]) {
    assert.throws(
      () => readSiteProxies({ HTTPS_PROXY: text }),
      (error) =>
        error instanceof GateError && error.code === "ERR_CONFIG" &&
        error.message.includes("HTTPS_PROXY") &&
        !`${error.message}${error.hint}`.includes("s3cret"),
    );
  }
});

Deno.test("child processes get the proxies of the site, but no password of one", () => {
  const own = {
    HTTP_PROXY: PROXY,
    https_proxy: "http://me:s3cret@proxy.site:3128",
    NO_PROXY: "localhost",
    TOKEN: "t",
  };
  assert.deepEqual(childEnvironment(own, {}), { HTTP_PROXY: PROXY, NO_PROXY: "localhost" });
  const named = childEnvironment(own, { https_proxy: own.https_proxy, HTTP_PROXY: "" });
  assert.deepEqual(named, {
    HTTP_PROXY: "",
    NO_PROXY: "localhost",
    https_proxy: own.https_proxy,
  });
});
