import assert from "node:assert/strict";
import { redactResult } from "../../../src/policy/redact/redact.ts";
import { TOKEN_FORMS } from "../../../src/policy/redact/tokens.ts";

const redact = (value: unknown) => redactResult(value, ["secrets"]).value;
const check = (texts: { readonly [text: string]: string }) => {
  for (const [text, redacted] of Object.entries(texts)) assert.equal(redact(text), redacted, text);
};

const GITHUB = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
const AWS = "AKIA" + "IOSFODNN7EXAMPLE";

Deno.test("redactResult() finds a token whatever stands right before it", () => {
  const before = [
    ...["\u001b[32m", "\u001b[38;5;45m", "\\n", "\\\\n", "\\t", "\\u001b[0m", "%3D", "%20", "%22"],
    ...["x", "KEY", "_", "-", "9", "(", '"', "=", "é", "字", "/"],
  ];
  for (const glue of before) {
    assert.equal(redact(`${glue}${GITHUB}`), `${glue}[redacted:github-token]`, glue);
    assert.equal(redact(`${glue}${AWS} `), `${glue}[redacted:aws-key-id] `, glue);
  }
  check({
    [`${GITHUB},${AWS}`]: "[redacted:github-token],[redacted:aws-key-id]",
    [`${GITHUB}${GITHUB}`]: "[redacted:github-token]",
    [`${"ab".repeat(40)}${GITHUB}`]: `${"ab".repeat(40)}${GITHUB}`,
  });
});

Deno.test("redactResult() knows a form of token only once, with a bounded rest and a source", () => {
  const starts = TOKEN_FORMS.flatMap(({ starts, rest }) =>
    starts.map((start) => `${start} ${rest}`)
  );
  assert.equal(new Set(starts).size, starts.length);
  for (const { name, source, rest, starts } of TOKEN_FORMS) {
    assert.match(name, /^[a-z-]+$/);
    assert.match(source, /^[a-z0-9., -]+$/);
    assert.doesNotMatch(rest.replaceAll(/\[[^\]]*\]/g, ""), /[*+](?!\?)|,\}/, `${name} is bounded`);
    for (const start of starts) assert.ok(start.length >= 2);
  }
});

Deno.test("redactResult() takes the whole password out of a URL", () => {
  check({
    "postgres://u:p@ssw0rd!@h/db": "postgres://u:[redacted:url-password]@h/db",
    "postgres://u:pass/w0rd@h/db": "postgres://u:[redacted:url-password]@h/db",
    "postgres://u:p@ss/w0rd@h/db": "postgres://u:[redacted:url-password]@h/db",
    "postgres://u:it's@h/db": "postgres://u:[redacted:url-password]@h/db",
    "'redis://:one@h1','redis://:two@h2'":
      "'redis://:[redacted:url-password]@h1','redis://:[redacted:url-password]@h2'",
    "https://token:x-oauth@github.com/a": "https://token:[redacted:url-password]@github.com/a",
    "https://u:p?a#b@h/x": "https://u:[redacted:url-password]@h/x",
    "ftp://bob@acme.com:word@ftp.acme.com/":
      "ftp://bob@acme.com:[redacted:url-password]@ftp.acme.com/",
    "https://u:p@gitlab.com/@scope/x": "https://u:[redacted:url-password]@gitlab.com/@scope/x",
    '{"url":"postgres:\\/\\/u:p\\/q@h\\/db"}':
      '{"url":"postgres:\\/\\/u:[redacted:url-password]@h\\/db"}',
    "next=postgres%3A%2F%2Fu%3Ap%2Fq%40h%2Fdb":
      "next=postgres%3A%2F%2Fu%3A[redacted:url-password]%40h%2Fdb",
    "http://localhost:5173/@vite/client": "http://localhost:5173/@vite/client",
    "https://example.com:8080/a@b?c=d@e": "https://example.com:8080/a@b?c=d@e",
    "http://[::1]:80/@x": "http://[::1]:80/@x",
    "https://example.com/a:b@c": "https://example.com/a:b@c",
  });
});

Deno.test("redactResult() knows tokens of JOSE with empty parts, and no base64 that is none", () => {
  const part = (value: unknown) => btoa(JSON.stringify(value)).replaceAll("=", "");
  const unsigned = `${part({ alg: "none" })}.${part({ sub: "1234" })}.`;
  const direct = `${part({ alg: "dir", enc: "A256GCM" })}..AAAAAAAAAAAAAAAA.BBBBBBBBBB.CCCCCCCCCCC`;
  const detached = `${part({ alg: "ES256" })}..AAAAAAAAAAAAAAAA`;
  for (const token of [unsigned, direct, detached]) {
    assert.equal(redact(`a ${token} b`), "a [redacted:jwt] b");
  }
  const cursor = part({ id: 1, after: "x" });
  check({ [`${cursor}.${cursor}.x`]: `${cursor}.${cursor}.x`, [`${cursor}...`]: `${cursor}...` });
});

Deno.test("redactResult() knows a token whose header has white space, as in RFC 7519", () => {
  for (
    const header of [
      '{ "alg":"none"}',
      '{\n "alg":"HS256"}',
      '{\r\n"alg":"HS256"}',
      '{\n\t"alg":"x"}',
    ]
  ) {
    const token = `${btoa(header).replaceAll("=", "")}.e30.`;
    assert.equal(redact(`%3D${token}abc ok`), "%3D[redacted:jwt] ok", header);
  }
});

Deno.test("redactResult() sees a name and its value through the colours of a log", () => {
  for (const escape of ["\u001b", "\\u001b", "\\x1b", "\\033", "\\e"]) {
    const [red, off] = [`${escape}[1;31m`, `${escape}[0m`];
    const text = String(redact(`${red}db_password${off}=${red}hunter2${off} next`));
    assert.doesNotMatch(text, /hunter2/, escape);
    assert.match(text, /db_password.*\[redacted:secret\].* next$/, escape);
  }
});

Deno.test("redactResult() reads credentials of headers by RFC 9110", () => {
  const token = "abcdefghij".repeat(3);
  check({
    [`Authorization: BEARER ${token}`]: "Authorization: BEARER [redacted:bearer-token]",
    [`bearer  \t${token}`]: "bearer  \t[redacted:bearer-token]",
    [`Authorization=Bearer%20${token}`]: "Authorization=Bearer%20[redacted:bearer-token]",
    [`Authorization: Basic ${btoa("bob:hunter2")}`]:
      "Authorization: Basic [redacted:basic-password]",
    'Authorization: Digest username="a", response="b1"': "Authorization: Digest [redacted:secret]",
    "Set-Cookie: sid=abc; HttpOnly\r\nAge: 1": "Set-Cookie: [redacted:secret]\r\nAge: 1",
    "Authorization: this API needs a key": "Authorization: this API needs a key",
    "basic authentication, bearer of news": "basic authentication, bearer of news",
  });
  assert.deepEqual(redact({ Authorization: ["Bearer abc"], Cookie: "a=b", cookie: "yes" }), {
    Authorization: ["Bearer [redacted:secret]"],
    Cookie: "[redacted:secret]",
    cookie: "yes",
  });
});

Deno.test("redactResult() hides what stands under the name of a secret in a text", () => {
  const hidden = "[redacted:secret]";
  check({
    'Result: {"password":"hun\\"ter2","n":1}': `Result: {"password":"${hidden}","n":1}`,
    '{\\"password\\":[\\"a\\",{\\"b\\":7}],\\"n\\":1}':
      `{\\"password\\":[\\"${hidden}\\",{\\"b\\":\\"${hidden}\\"}],\\"n\\":1}`,
    '{"password":12345,"max_tokens":100} x': `{"password":"${hidden}","max_tokens":100} x`,
    "A=1\\nDB_PASSWORD=hunter2\\nB=2": `A=1\\nDB_PASSWORD=${hidden}\\nB=2`,
    "AWS_SECRET_ACCESS_KEY=wJal/K7MD+bPx": `AWS_SECRET_ACCESS_KEY=${hidden}`,
    "a: b\npassword: hunter2\n": `a: b\npassword: ${hidden}\n`,
    "secret: |\n  one\n  two\nnext: 1": `secret: ${hidden}\nnext: 1`,
    "passwords: [one, two]": `passwords: [${hidden}]`,
    "x?token=abc&y=1": `x?token=${hidden}&y=1`,
    "x%3Ftoken%3Dabc%26y": `x%3Ftoken%3D${hidden}%26y`,
    "Server=x;Password=p@ss,w;Db=1": `Server=x;Password=${hidden};Db=1`,
    "X-Api-Key: abc123\r\nAge: 1": `X-Api-Key: ${hidden}\r\nAge: 1`,
    "curl --token abc --verbose": `curl --token ${hidden} --verbose`,
    "<db:password>a b</db:password>": `<db:password>${hidden}</db:password>`,
    '<input name="password" value="x">': `<input name="password" value="${hidden}">`,
    "config['password'] = 'it'": `config['password'] = '${hidden}'`,
    "API key: 12345abc": `API key: ${hidden}`,
    "- name: DB_PASSWORD\n  value: hunter": `- name: DB_PASSWORD\n  value: ${hidden}`,
    "client_secret=abc&grant_type=x": `client_secret=${hidden}&grant_type=x`,
    "Pwd=hunter;Uid=sa": `Pwd=${hidden};Uid=sa`,
    "X-Vault-Token: s.abcdef": `X-Vault-Token: ${hidden}`,
    "%7B%22password%22%3A%22a%2Bb%22%7D": `%7B%22password%22%3A%22${hidden}%22%7D`,
    "{&quot;password&quot;:&quot;a b&quot;}": `{&quot;password&quot;:&quot;${hidden}&quot;}`,
    "{\\u0022password\\u0022:\\u0022a\\u0022}": `{\\u0022password\\u0022:\\u0022${hidden}\\u0022}`,
  });
});

Deno.test("redactResult() leaves texts that only speak of secrets", () => {
  const harmless = [
    "Password: must be at least 8 characters",
    "const token = await getToken(); login(secret, config.password);",
    "interface Login { password: string; token?: string }",
    "DB_PASSWORD=$DB_PASSWORD TOKEN=${TOKEN} api_key: ${{ secrets.KEY }}",
    "prompt tokens: 1200, max_tokens=4096, token: 7",
    '["password=","x"] and {"a":"token: ","b":"c"}',
    '{"password":null,"token":true,"secret":"","nextPageToken":"abc"} x',
    '{"properties":{"password":{"type":"string","minLength":8}}} x',
    "token: invalid, secret = none, password: ********",
    "login(user=user, password=password, token=self.token)",
    "tokens: BURST, credentials: Credentials, secret: Uint8Array,",
    "{max_output_tokens:16384,reasoning_tokens:false,price:1}",
    'ask("Password: "); const shown = isOpen ? "no token" : "a token";',
    "self.password = password\nmy $pass = $self->{pass};",
    "tokens = {\n  'root': []\n}; const TOKEN = /^[a-z]+$/;",
    "headers: { authorization: `Bearer ${token}` }, user_pass = '%s:%s'",
    '{"application/jwt":{"source":"iana"}} and http://user:****@host',
  ];
  for (const text of harmless) assert.equal(redact(text), text, text);
});

Deno.test("redactResult() hides texts and numbers in lists and objects under the name of a secret", () => {
  const hidden = "[redacted:secret]";
  assert.deepEqual(
    redact({
      password: ["hunter2", [7]],
      clientSecret: { value: "s3cr3t", set: true, none: null },
      env: [{ name: "DB_PASSWORD", value: "x" }, { name: "HOME", value: "/root" }],
      token: GITHUB,
      usage: { max_tokens: 100, total_tokens: 12, tokens: [1, 2] },
      secrets: [{ name: "A", created_at: "2026-01-02" }],
      schema: { password: { type: "string", description: "d", default: "x" } },
      output: { db_password: { type: "string", value: "x" } },
    }),
    {
      password: [hidden, [hidden]],
      clientSecret: { value: hidden, set: true, none: null },
      env: [{ name: "DB_PASSWORD", value: hidden }, { name: "HOME", value: "/root" }],
      token: "[redacted:github-token]",
      usage: { max_tokens: 100, total_tokens: 12, tokens: [1, 2] },
      secrets: [{ name: "A", created_at: "2026-01-02" }],
      schema: { password: { type: "string", description: "d", default: hidden } },
      output: { db_password: { type: "string", value: hidden } },
    },
  );
});

Deno.test("redactResult() compares own patterns with numbers too", () => {
  const card = { name: "card", pattern: "################" };
  const value = { card: 4111111111111111, count: 7 };
  assert.deepEqual(redactResult(value, [card]).value, { card: "[redacted:card]", count: 7 });
  assert.equal(redactResult(value, ["secrets", "email"]).value, value);
});
