import assert from "node:assert/strict";
import { isSecretValue, secretNameKind } from "../../../src/policy/redact/secret_name.ts";

Deno.test("secretNameKind() knows names of secrets in every spelling", () => {
  const names = [
    ...[
      "password",
      "PASSWORD",
      "DB_PASSWORD",
      "db_password",
      "dbPassword",
      "db-password",
      "dbpassword",
    ],
    ...["user.password", "pass word", "oldPassword", "password_2", "passwd", "pwd", "passphrase"],
    ...["secret", "clientSecret", "client-secret", "signingSecret", "JWT_SECRET", "app_secret"],
    ...["x-api-key", "X-API-Key", "apiKey", "APIKey", "OPENAI_API_KEY", "openaiApiKey", "api.key"],
    ...["AWS_SECRET_ACCESS_KEY", "SecretAccessKey", "private_key", "privateKey", "secretKey"],
    ...["encryption-key", "accessKey", "passwordHash", "credentials", "otp", "SecretString"],
  ];
  names.push("SecretString", "secretValue", "secret_key_base", "passwordConfirmation");
  names.push("SecretBinary", "passwd_hash", "client-key-data");
  names.push("config/password", "db:password", "apiKeyValue");
  for (const name of names) assert.equal(secretNameKind(name), "secret", name);
  const tokens = [
    ...["token", "TOKEN", "GITHUB_TOKEN", "githubToken", "access_token", "authToken", "csrfToken"],
    ...["token1", "session-token", "nextAuthToken", "accountToken", "adminToken"],
  ];
  for (const name of tokens) assert.equal(secretNameKind(name), "token", name);
  for (const name of ["pass", "dbpass", "rootpw", "ldapBindpw", "sshpass"]) {
    assert.equal(secretNameKind(name), "word", name);
  }
  for (const name of ["Authorization", "cookie", "Set-Cookie", "proxy-authorization"]) {
    assert.equal(secretNameKind(name), "header", name);
  }
});

Deno.test("secretNameKind() leaves names that only speak of a secret", () => {
  const names = [
    ...[
      "tokenCount",
      "token_type",
      "tokenizer",
      "secretName",
      "passwordPolicy",
      "password_changed_at",
    ],
    ...["nextPageToken", "next_token", "pageToken", "continuationToken", "syncToken", "max_token"],
    ...[
      "key",
      "keyId",
      "primaryKey",
      "publicKey",
      "cacheKey",
      "compass",
      "bypass",
      "author",
      "monkey",
      "ERR_TOKEN",
      "application/jwt",
    ],
    ...["cookieBanner", "", "x".repeat(90)],
  ];
  for (const name of names) assert.equal(secretNameKind(name), null, name);
});

Deno.test("isSecretValue() tells counts from secrets", () => {
  const cases: readonly (readonly [string, string | number, boolean])[] = [
    ["password", 7, true],
    ["password", "", false],
    ["token", 3, false],
    ["token", 123_456, true],
    ["token", "abc", true],
    ["token", 4111111111111111, true],
    ["token", "999", false],
    ["cost_usd_token", 0.000_01, false],
    ["max_tokens", 4_096, false],
    ["max_output_tokens", "128e3", false],
    ["credentials", "same-origin", false],
    ["token", "urn:ietf:params:oauth:token-type:jwt", false],
    ["total_tokens", "4096", false],
    ["tokens", "abc", true],
    ["pass", 12, false],
    ["pass", "hunter2", true],
    ["Authorization", "Bearer abc", true],
    ["Authorization", "none", false],
    ["cookie", "sid=1", true],
    ["cookie", "yes", false],
  ];
  for (const [name, value, isSecret] of cases) {
    const kind = secretNameKind(name);
    assert.ok(kind !== null, name);
    assert.equal(isSecretValue(kind, value), isSecret, `${name}: ${value}`);
  }
});
