/**
 * A labelled corpus of 2,000 lines, always the same: 1,000 with something to take out, 1,000 without.
 *
 * Forms of tokens are written down here a second time, from what the services document, so that a
 * wrong entry in the table of `src/policy/redact/tokens.ts` shows. Every second line is kept apart:
 * detectors are tuned on the part `tune` and judged on the part `apart`, which has other values, other
 * combinations and surroundings that the first part does not have.
 */
export interface CorpusLine {
  readonly part: "tune" | "apart";
  /** Form of the secret, or kind of harmless text. */
  readonly kind: string;
  /** A JSON value, as a tool returns it. */
  readonly value: unknown;
  /** None of these may be left; none: the line has to stay as it is. */
  readonly secrets: readonly string[];
}

const LINES_OF_A_KIND = 1_000;

export function makeRedactionCorpus(): CorpusLine[] {
  const lines: CorpusLine[] = [];
  for (let index = 0; index < LINES_OF_A_KIND; index++) {
    const part = index % 2 === 0 ? "tune" : "apart";
    const random = createRandom(index * 2 + 17);
    lines.push({ part, ...makeSecretLine(random, index >> 1, part) });
    lines.push({ part, ...makeHarmlessLine(random, index >> 1) });
  }
  return lines;
}

/** A generator of pseudo random numbers (mulberry32) and what is made with it. */
interface Random {
  below(bound: number): number;
  of<T>(list: readonly T[]): T;
  /** Characters of an alphabet; the first is a digit, so that no chance makes it a word. */
  text(alphabet: string, length: number): string;
}

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const DIGITS = "0123456789";
const HEX = `${DIGITS}abcdef`;
const ALNUM = LOWER + UPPER + DIGITS;
const URL64 = `${ALNUM}-_`;
const BASE32 = `${UPPER}234567`;

function createRandom(seed: number): Random {
  let state = seed * 0x9e3779b1 >>> 0;
  const next = () => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 4_294_967_296;
  };
  const below = (bound: number) => Math.floor(next() * bound);
  return {
    below,
    of: (list) => list[below(list.length)] as typeof list[number],
    text: (alphabet, length) => {
      const digits = alphabet.includes(DIGITS) ? DIGITS : "";
      let text = "";
      while (text.length < length) {
        const from = text === "" && digits !== "" ? digits : alphabet;
        text += from[below(from.length)];
      }
      return text;
    },
  };
}

interface Sample {
  readonly kind: string;
  readonly secret: string;
}

/** Prefix, alphabet and length of tokens, by service. */
const TOKENS:
  readonly (readonly [kind: string, prefix: string, alphabet: string, length: number])[] = [
    ["aws", "AKIA", BASE32, 16],
    ["aws-session", "ASIA", BASE32, 16],
    ["github-classic", "ghp_", ALNUM, 36],
    ["github-app", "ghs_", ALNUM, 36],
    ["github-oauth", "gho_", ALNUM, 36],
    ["github-fine", "github_pat_", ALNUM, 82],
    ["gitlab", "glpat-", URL64, 20],
    ["gitlab-runner", "glrt-", URL64, 20],
    ["slack-bot", "xoxb-123456789012-1234567890123-", ALNUM, 24],
    ["slack-user", "xoxp-123456789012-123456789012-", HEX, 32],
    ["stripe", "sk_live_", ALNUM, 24],
    ["stripe-restricted", "rk_test_", ALNUM, 99],
    ["stripe-webhook", "whsec_", ALNUM, 32],
    ["anthropic", "sk-ant-api03-", URL64, 95],
    ["openai-project", "sk-proj-", URL64, 120],
    ["openai-old", "sk-", ALNUM, 48],
    ["google-api", "AIza", ALNUM, 35],
    ["google-oauth", "ya29.", URL64, 120],
    ["google-client", "GOCSPX-", URL64, 28],
    ["npm", "npm_", ALNUM, 36],
    ["pypi", "pypi-AgEIcHlwaS5vcmc", URL64, 120],
    ["hugging-face", "hf_", LOWER + UPPER, 34],
    ["digitalocean", "dop_v1_", HEX, 64],
    ["shopify", "shpat_", HEX, 32],
    ["databricks", "dapi", HEX, 32],
    ["grafana", "glsa_", ALNUM, 32],
    ["vault", "hvs.", URL64, 90],
    ["doppler", "dp.pt.", ALNUM, 43],
    ["linear", "lin_api_", ALNUM, 40],
    ["notion", "ntn_", ALNUM, 46],
    ["figma", "figd_", URL64, 40],
    ["postman", "PMAK-", HEX, 24],
    ["supabase", "sbp_", HEX, 40],
    ["docker", "dckr_pat_", URL64, 27],
    ["rubygems", "rubygems_", HEX, 48],
    ["groq", "gsk_", ALNUM, 52],
    ["replicate", "r8_", ALNUM, 37],
    ["perplexity", "pplx-", ALNUM, 48],
    ["sentry", "sntryu_", HEX, 64],
    ["pulumi", "pul-", HEX, 40],
    ["tailscale", "tskey-auth-", ALNUM, 32],
    ["new-relic", "NRAK-", UPPER + DIGITS, 27],
    ["netlify", "nfp_", ALNUM, 36],
    ["atlassian", "ATATT3xFfGF0", URL64, 180],
    ["buildkite", "bkua_", HEX, 40],
    ["planetscale", "pscale_tkn_", URL64, 43],
  ];

function makeToken(random: Random): Sample {
  const [kind, prefix, alphabet, length] = random.of(TOKENS);
  // A form whose last character is not a letter or digit does not exist.
  const token = `${prefix}${random.text(alphabet, length - 1)}${
    random.text(alphabet.replace(/[-_]/g, ""), 1)
  }`;
  if (kind === "grafana") return { kind, secret: `${token}_${random.text(HEX, 8)}` };
  if (kind === "postman") return { kind, secret: `${token}-${random.text(HEX, 34)}` };
  return { kind, secret: token };
}

const encode = (value: unknown) =>
  btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function makeJwt(random: Random): Sample {
  const payload = encode({ sub: random.text(DIGITS, 10), name: random.text(LOWER, 8) });
  const part = (length: number) => random.text(URL64, length);
  switch (random.below(4)) {
    case 0:
      return { kind: "jwt-none", secret: `${encode({ alg: "none" })}.${payload}.` };
    case 1: {
      const header = encode({ alg: "dir", enc: "A256GCM" });
      return { kind: "jwe-dir", secret: `${header}..${part(16)}.${part(90)}.${part(22)}` };
    }
    case 2: {
      const header = encode({ alg: "RSA-OAEP", enc: "A256GCM" });
      return { kind: "jwe", secret: `${header}.${part(342)}.${part(16)}.${part(60)}.${part(22)}` };
    }
    default:
      return {
        kind: "jwt",
        secret: `${encode({ typ: "JWT", alg: "HS256" })}.${payload}.${part(43)}`,
      };
  }
}

type Surround = (random: Random, secret: string) => unknown;

/** What stands around tokens in results. */
const SURROUNDINGS: { readonly [part in CorpusLine["part"]]: readonly Surround[] } = {
  tune: [
    (_, secret) => secret,
    (_, secret) => `The value is ${secret}, keep it.`,
    (random, secret) => `\u001b[${random.of(["32m", "1;31m", "0m"])}${secret}\u001b[0m`,
    (_, secret) => `log: ${JSON.stringify({ env: `A=1\n${secret}\nB=2` })}`,
    (_, secret) => JSON.stringify({ log: JSON.stringify({ line: `x\t${secret}` }) }),
    (_, secret) => `https://example.com/?a=1&next=%2Fcb%3Fcode%3D${secret}`,
    (random, secret) => ({ rows: [{ id: random.below(99), note: `got ${secret}` }] }),
    (_, secret) => `x-custom: ${secret}\r\nAccept: */*`,
  ],
  apart: [
    (_, secret) => `(${secret})`,
    (_, secret) => `\u001b[38;5;45m${secret}`,
    (_, secret) => JSON.stringify(JSON.stringify(JSON.stringify([`a\n${secret}\r\n`]))),
    (_, secret) => `curl -H 'X-Thing: ${secret}' https://example.com`,
    (_, secret) => `redirect%20to%3A%20${secret}%26done`,
    (_, secret) => `<code>${secret}</code>`,
    (_, secret) => [[{ [`k ${secret}`]: true }]],
    (_, secret) => `const it = "${secret}"; // from the console`,
    (_, secret) => `2026-01-02T03:04:05Z INFO sent ${secret}\n`,
    (_, secret) => `|name|value|\n|-|-|\n|it|\`${secret}\`|`,
  ],
};

/** Names whose value is a secret, in the spellings of many systems. */
const SECRET_NAMES = [
  ...["password", "DB_PASSWORD", "dbPassword", "db-password", "client_secret", "clientSecret"],
  ...["x-api-key", "apiKey", "API_KEY", "secret", "signingSecret", "token", "accessToken", "pwd"],
  ...["access_token", "AWS_SECRET_ACCESS_KEY", "private_key", "refreshToken", "passphrase"],
  ...["SMTP_PASS", "webhookSecret", "SECRET_KEY", "encryption-key", "bot_token", "authToken"],
];

type NamedForm = (name: string, value: string) => unknown;

const NAMED: { readonly [part in CorpusLine["part"]]: readonly NamedForm[] } = {
  tune: [
    (name, value) => ({ [name]: value }),
    (name, value) => ({ config: { [name]: [value] } }),
    (name, value) => ({ [name]: { value } }),
    (name, value) => `Result: ${JSON.stringify({ id: 1, [name]: value })}`,
    (name, value) => ({ log: JSON.stringify({ [name]: value, n: 2 }) }),
    (name, value) => `A=1\n${name}=${value}\nB=2`,
    (name, value) => `user: bob\n${name}: ${value}\n`,
    (name, value) => `https://example.com/x?a=b&${name}=${value}&c=d`,
  ],
  apart: [
    (name, value) => [{ deep: [{ [name]: { list: [{ it: value }] } }] }],
    (name, value) => ({ env: [{ name, value }] }),
    (name, value) => `answer ${JSON.stringify(JSON.stringify({ [name]: value }))} end`,
    (name, value) => `{'id': 3, '${name}': '${value}'}`,
    (name, value) => `export ${name}="${value}"`,
    (name, value) => `got ${JSON.stringify({ [name]: [value, { v: value }] })} back`,
    (name, value) => `<${name}>${value}</${name}>`,
    (name, value) => `:${name} => "${value}",`,
    (name, value) => `Host=db;User=app;${name}=${value};Port=1`,
  ],
};

function makeSecretLine(
  random: Random,
  index: number,
  part: CorpusLine["part"],
): Omit<CorpusLine, "part"> {
  switch (index % 10) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const { kind, secret } = makeToken(random);
      return { kind, value: random.of(SURROUNDINGS[part])(random, secret), secrets: [secret] };
    }
    case 4: {
      const { kind, secret } = makeJwt(random);
      return {
        kind,
        value: random.of(SURROUNDINGS[part])(random, secret),
        secrets: [secret.slice(0, -1)],
      };
    }
    case 5: {
      const [first, second] = [makeToken(random), makeToken(random)];
      const sign = random.of([" ", ",", "\\n", "%20", "\n", "|"]);
      const secrets = [first.secret, second.secret];
      return { kind: "two-tokens", value: secrets.join(sign), secrets };
    }
    case 6:
    case 7: {
      const name = random.of(SECRET_NAMES);
      const secret = `${random.of(["hunter", "s3cr3t", "Tr0ub4dor"])}${random.text(ALNUM, 6)}`;
      return {
        kind: `named ${name}`,
        value: random.of(NAMED[part])(name, secret),
        secrets: [secret],
      };
    }
    case 8:
      return makeUrlOrHeader(random, part);
    default:
      return makeEmail(random, part);
  }
}

function makeUrlOrHeader(random: Random, part: CorpusLine["part"]): Omit<CorpusLine, "part"> {
  const password = `${random.text(ALNUM, 4)}${
    random.of(["", "@", "/", "'", "!", "@@", ":", "#", "%40"])
  }${random.text(`${LOWER}${DIGITS}`, 6)}x`;
  const host = random.of(["db", "db.example.com:5432", "10.0.0.7", "localhost:27017"]);
  const url = `${
    random.of(["postgres", "mongodb+srv", "redis", "https"])
  }://app:${password}@${host}/main`;
  const token = random.text(ALNUM, 40);
  const lines: readonly (readonly [string, unknown, string])[] = [
    ["url", `DSN ${url}`, password],
    ["url", { nested: JSON.stringify({ url }) }, password],
    ["bearer", `Authorization: ${random.of(["Bearer", "BEARER", "bearer"])} ${token}`, token],
    ["bearer", { headers: { authorization: `Bearer  ${token}` } }, token],
    ["url", `${url} and ${url}?x=a@b`, password],
    ["basic", `authorization: Basic ${btoa(`app:${token}`)}`, btoa(`app:${token}`)],
    ["bearer", `curl -H "Authorization: bearer ${token}"`, token],
    ["cookie", `Set-Cookie: sid=${token}; HttpOnly`, token],
  ];
  const half = lines.length / 2;
  const [kind, value, secret] = random.of(
    part === "tune" ? lines.slice(0, half) : lines.slice(half),
  );
  return { kind, value, secrets: [secret] };
}

function makeEmail(random: Random, part: CorpusLine["part"]): Omit<CorpusLine, "part"> {
  const word = random.text(LOWER, 7);
  const tune = [
    `${word}.doe@example.com`,
    `${word}&jane@example.org`,
    `संपर्क${word}@डाटामेल.भारत`,
    `"${word} doe"@example.com`,
    `${word}%40example.com`,
    `jo\u0308rg${word}@ko\u0308ln.de`,
  ];
  const apart = [
    `${word}/last=x!y@mail.example.co.uk`,
    `ทดสอบ${word}@ยูเอ-ทดสอบ.ไทย`,
    `𝒿${word}@example.com`,
    `${word}+tag@sub.example.museum`,
    `用户${word}@例え.テスト`,
    `${word}@xn--bcher-kva.example`,
    `o'${word}@example.ie`,
  ];
  const email = random.of(part === "tune" ? tune : apart);
  const value = random.of([email, `write to ${email}, please`, { contact: [email] }, `<${email}>`]);
  return { kind: "email", value, secrets: [word] };
}

/** Texts of everyday results that look a little like secrets. */
function makeHarmlessLine(random: Random, index: number): Omit<CorpusLine, "part"> {
  const hex = (length: number) => random.text(HEX, length);
  const version = `${random.below(20)}.${random.below(30)}.${random.below(40)}`;
  const uuid = `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
  const count = 1 + random.below(9_000);
  const word = random.text(LOWER, 9);
  const stamp = new Date(1_700_000_000_000 + random.below(1e9)).toISOString();
  const lines: readonly (readonly [string, unknown])[] = [
    ["sha", `commit ${hex(40)}\nAuthor: build\n`],
    ["uuid", { id: uuid, requestId: uuid, at: stamp }],
    ["npm", `added lodash@${version}, @types/node@${version}, react@${version}-beta.${count}`],
    ["action", `uses: actions/checkout@v4\nuses: actions/setup-node@v${version}`],
    ["host", `ssh root@10.0.0.${random.below(255)} -p 22; scp a deploy@localhost:/srv`],
    ["git", `git clone git@github.com:acme/${word}.git && cd ${word}`],
    ["counts", {
      max_tokens: count,
      tokenCount: count,
      usage: { total_tokens: count, input_tokens: 3 },
    }],
    ["counts", `prompt tokens: ${count}, completion tokens: ${count}, max_tokens=${count}`],
    ["page", { nextPageToken: hex(24), next_token: hex(12), items: [], continuationToken: word }],
    ["log", `${stamp} INFO [worker-${count}] handled GET /v1/users/${count} in ${count}ms`],
    ["blob", `data:image/png;base64,${random.text(`${ALNUM}+`, 400)}==`],
    ["integrity", { integrity: `sha512-${random.text(`${ALNUM}+/`, 86)}==`, version }],
    ["digest", `registry:5000/team/${word}@sha256:${hex(64)}`],
    [
      "code",
      `const token = await getToken(); const secret = config.secret; if (!password) return;`,
    ],
    ["types", `interface Login { user: string; password: string; token?: string; secret: Buffer }`],
    [
      "prose",
      `Password: must be at least ${
        8 + random.below(9)
      } characters, with a sign. The token is sent by mail.`,
    ],
    [
      "prose",
      `The secret of ${word} is patience; a token of thanks. Basic information follows, bearer of news.`,
    ],
    [
      "port",
      `http://localhost:${3000 + random.below(999)}/@vite/client http://example.com:8080/a@b?c=d`,
    ],
    ["slug", `task-${word}-${hex(12)} disk-${uuid} risk-${word}-assessment-2026-${count}`],
    ["schema", {
      properties: { password: { type: "string", minLength: 8, description: `the ${word}` } },
    }],
    ["names", {
      secretName: word,
      passwordPolicy: "strong",
      tokenType: "Bearer",
      keyId: word,
      has_password: true,
    }],
    ["names", {
      primaryKey: word,
      cacheKey: `user:${count}`,
      sortKey: word,
      publicKey: word,
      key: word,
    }],
    ["reference", `DB_PASSWORD=$DB_PASSWORD\nTOKEN=\${TOKEN}\napi_key: \${{ secrets.API_KEY }}`],
    ["retina", `logo@2x.png icon@3x.webp ${word}@2x.jpg chunk@${version}.js`],
    ["systemd", `getty@tty1.service user@1000.service ${word}@${count}.timer loaded active`],
    ["numbers", { card: 4111111111111111, at: 1_700_000_000_000 + count, price: count / 100 }],
    ["prefix", `prefixes: ghp_, sk_live_, xoxb-, AKIA, hf_, npm_${word}, sk-learn, SG.${word}`],
    ["url", `https://example.com/a/${hex(32)}?id=${count}&sort=name&key=${word}#top-${word}`],
    ["table", `| name | kind |\n| ${word} | text |\n| pass | ${count} |\n| fail | 0 |`],
    ["results", { pass: count, fail: 0, skip: 2, tokens: count, token: count % 900, author: word }],
    ["cursor", { cursor: encode({ id: count, word }), after: encode([count]) }],
    [
      "java",
      `at com.acme.${word}.TokenFilter.doFilter(TokenFilter.java:${count}) MSG.${word}.${word}`,
    ],
    ["css", `.${word}{color:#${hex(6)};margin:0 auto}@media (max-width:600px){.a{padding:0}}`],
    ["handle", `@${word} said hi to @${word}_2 at 10@night, 5 @ 3.50, a@b`],
    [
      "mac",
      `eth0 02:42:${hex(2)}:${hex(2)}:${hex(2)}:${hex(2)} inet6 fe80::${hex(4)}:${hex(4)}/64`,
    ],
    [
      "ids",
      `req_${random.text(ALNUM, 24)} cus_${random.text(ALNUM, 14)} pi_${random.text(ALNUM, 24)}`,
    ],
  ];
  const [kind, value] = lines[index % lines.length] as readonly [string, unknown];
  return { kind, value, secrets: [] };
}
