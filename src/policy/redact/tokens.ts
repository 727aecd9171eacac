/**
 * One form of token: its start and the characters after it.
 *
 * A token may directly follow a letter: a colour code, the `n` of an escaped line end and `%3D` all
 * end in a letter. A start that words and identifiers also contain (`sk-` in `task-`) must begin a
 * word.
 */
export interface TokenForm {
  readonly name: string;
  readonly starts: readonly string[];
  /**
   * A bounded pattern for the text after the start. If it ends with a group, only that is redacted.
   */
  readonly rest: string;
  readonly atWordStart?: true;
  /** How many characters before the start also belong to the token. */
  readonly before?: number;
  /** The host name of the service that issues the token and documents its form. */
  readonly source: string;
}

const HEX = "[0-9a-fA-F]";
const ALNUM = "[A-Za-z0-9]";
const UUID = `${HEX}{8}(?:-${HEX}{4}){3}-${HEX}{12}`;
/** A slash in a URL, in a JSON text and in a URL inside a URL. */
const SLASH = "(?:\\\\?/|%2[Ff])";

/** Known forms, checked against what the services document. Prefix, alphabet and length in one place. */
export const TOKEN_FORMS: readonly TokenForm[] = [
  form("aws-key-id", "aws.amazon.com", "AKIA ASIA ABIA ACCA", "[A-Z0-9]{16}(?![A-Z0-9])"),
  form("aws-bedrock-key", "aws.amazon.com", "ABSK", `[A-Za-z0-9+/]{100,300}={0,2}`),
  form("github-token", "github.com", "ghp_ gho_ ghu_ ghr_", `${ALNUM}{36,255}`),
  form("github-token", "github.com", "ghs_", "[\\w.-]{36,1024}"),
  form("github-token", "github.com", "github_pat_", "\\w{22,255}"),
  form(
    "gitlab-token",
    "gitlab.com",
    "glpat- gldt- glrt- glrtr- glptt- glft- glsoat- glagent- glimt- gloas- glcbt- glffct- glwt-",
    "[\\w-]{20,255}(?:\\.[\\w.-]{2,64})?",
  ),
  form("gitlab-token", "gitlab.com", "GR1348941", "[\\w-]{20}"),
  form(
    "slack-token",
    "slack.com",
    "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xoxo- xoxd- xoxc-",
    "(?=[A-Za-z-]{0,40}[0-9])[A-Za-z0-9%+/=-]{10,512}",
  ),
  form("slack-token", "slack.com", "xoxe.xoxp- xoxe.xoxb-", "[A-Za-z0-9-]{10,512}"),
  form("slack-token", "slack.com", "xapp-", `\\d-[A-Z0-9]{5,20}-\\d{5,20}-[a-z0-9]{16,128}`),
  form(
    "slack-webhook",
    "slack.com",
    "hooks.slack.com",
    `${SLASH}(?:services|workflows|triggers)(?:${SLASH}${ALNUM}{1,64}){2,4}`,
  ),
  form(
    "discord-webhook",
    "discord.com",
    "discord.com/api/webhooks/ discordapp.com/api/webhooks/",
    "\\d{15,22}/[\\w-]{60,80}",
  ),
  form(
    "stripe-key",
    "stripe.com",
    "sk_live_ sk_test_ rk_live_ rk_test_ sk_org_ whsec_",
    "[A-Za-z0-9+/_]{16,255}={0,2}",
  ),
  form(
    "model-key",
    "openai.com, anthropic.com, openrouter.ai",
    "sk-ant- sk-proj- sk-svcacct- sk-admin- sk-or- sk-lf-",
    "(?=[A-Za-z_-]{0,200}[0-9])[\\w-]{20,255}",
  ),
  form("model-key", "openai.com", "sk-", `${ALNUM}{20}T3BlbkFJ${ALNUM}{20}`),
  wordStart("model-key", "openai.com", "sk-", `(?=[A-Za-z]{0,63}[0-9])${ALNUM}{32,128}(?![\\w-])`),
  form("model-key", "groq.com", "gsk_", `${ALNUM}{40,80}`),
  form("model-key", "x.ai", "xai-", `${ALNUM}{60,100}`),
  form("model-key", "perplexity.ai", "pplx-", `${ALNUM}{40,64}`),
  form("model-key", "replicate.com", "r8_", `${ALNUM}{37}`),
  form("model-key", "langchain.com", "lsv2_pt_ lsv2_sk_", `${HEX}{32}_${HEX}{10}`),
  form("model-key", "tavily.com", "tvly-", "(?=[A-Za-z_-]{0,60}[0-9])[\\w-]{24,64}"),
  form("model-key", "pinecone.io", "pcsk_", "\\w{40,100}"),
  form("model-key", "elevenlabs.io", "sk_", "[0-9a-f]{48}"),
  form("google-key", "cloud.google.com", "AIza", "[\\w-]{35}(?![\\w-])"),
  form("google-token", "cloud.google.com", "ya29.", "[\\w.-]{20,2048}"),
  form("google-token", "cloud.google.com", "GOCSPX-", "[\\w-]{20,64}"),
  form("google-token", "cloud.google.com", "1//0", "[\\w-]{35,160}"),
  form("npm-token", "npmjs.com", "npm_", `${ALNUM}{36}`),
  form("pypi-token", "pypi.org", "pypi-AgEI pypi-AgEN", "[\\w-]{50,1024}"),
  form("rubygems-token", "rubygems.org", "rubygems_", `${HEX}{48}`),
  wordStart("crates-token", "crates.io", "cio", `(?=[A-Za-z]{0,31}[0-9])${ALNUM}{32}(?![\\w-])`),
  wordStart("nuget-key", "nuget.org", "oy2", "[a-z0-9]{43}(?![\\w-])"),
  form("docker-token", "docker.com", "dckr_pat_ dckr_oat_", "[\\w-]{27,64}"),
  form("hugging-face-token", "huggingface.co", "hf_", `${ALNUM}{34,64}(?!${ALNUM})`),
  form("hugging-face-token", "huggingface.co", "api_org_", "[A-Za-z]{34}"),
  form("sendgrid-key", "sendgrid.com", "SG.", "[\\w-]{20,24}\\.[\\w-]{39,50}"),
  form("brevo-key", "brevo.com", "xkeysib- xsmtpsib-", `${HEX}{64}-${ALNUM}{16}`),
  wordStart("mailgun-key", "mailgun.com", "key-", `${HEX}{32}(?![\\w-])`),
  form("resend-key", "resend.com", "re_", `${ALNUM}{8}_${ALNUM}{24}`),
  wordStart("twilio-key", "twilio.com", "SK", `[0-9a-f]{32}(?![\\w-])`),
  form("telegram-token", "telegram.org", ":AA", `(?<=\\d{8,10}:AA)([\\w-]{33})(?![\\w-])`),
  form("digitalocean-token", "digitalocean.com", "dop_v1_ doo_v1_ dor_v1_", `${HEX}{64}`),
  form("shopify-token", "shopify.com", "shpat_ shpca_ shppa_ shpss_ shpua_", `${HEX}{32}`),
  form("square-token", "squareup.com", "sq0atp- sq0csp-", "[\\w-]{22,60}"),
  form("braintree-token", "braintreepayments.com", "access_token$production$", "\\w{16}\\$\\w{32}"),
  form("plaid-token", "plaid.com", "access-sandbox- access-production- access-development-", UUID),
  form("databricks-token", "databricks.com", "dapi", `${HEX}{32}(?:-\\d)?(?![\\w-])`),
  form("newrelic-key", "newrelic.com", "NRAK- NRAL- NRJS- NRII- NRSP-", "[\\w-]{19,40}"),
  form("grafana-token", "grafana.com", "glsa_", `${ALNUM}{32}_${HEX}{8}`),
  form("grafana-token", "grafana.com", "glc_eyJ", "[A-Za-z0-9+/=_-]{32,512}"),
  form("sentry-token", "sentry.io", "sntryu_", `${HEX}{64}`),
  form("sentry-token", "sentry.io", "sntrys_eyJ", "[A-Za-z0-9+/=_-]{40,512}"),
  form("vault-token", "hashicorp.com", "hvs. hvb. hvr.", "[\\w-]{24,300}"),
  {
    ...form("terraform-token", "hashicorp.com", ".atlasv1.", "[\\w=-]{60,80}"),
    before: 14,
  },
  form(
    "doppler-token",
    "doppler.com",
    "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.",
    `(?:[a-z0-9_-]{2,35}\\.)?${ALNUM}{40,44}`,
  ),
  form("pulumi-token", "pulumi.com", "pul-", `${HEX}{40}`),
  form("infracost-key", "infracost.io", "ico-", `${ALNUM}{32}(?![\\w-])`),
  form("linear-key", "linear.app", "lin_api_ lin_oauth_", `${ALNUM}{40,64}`),
  form("notion-token", "notion.so", "ntn_", `${ALNUM}{40,64}`),
  form("notion-token", "notion.so", "secret_", `${ALNUM}{43}(?!\\w)`),
  wordStart("airtable-token", "airtable.com", "pat", `${ALNUM}{14}\\.[0-9a-f]{64}`),
  form("atlassian-token", "atlassian.com", "ATATT3 ATCTT3", "[\\w=-]{60,300}"),
  form("atlassian-token", "atlassian.com", "ATBB", `${ALNUM}{32}(?!${ALNUM})`),
  form("figma-token", "figma.com", "figd_ figo_ figu_ figr_", "[\\w-]{40,64}"),
  form("postman-key", "postman.com", "PMAK-", `${HEX}{24}-${HEX}{34}`),
  form("supabase-key", "supabase.com", "sbp_", "(?:oauth_)?[0-9a-f]{40}"),
  form("supabase-key", "supabase.com", "sb_secret_", "[\\w-]{20,64}"),
  form("netlify-token", "netlify.com", "nfp_ nfc_ nfo_ nfu_ nfb_", `${ALNUM}{36}`),
  form("fly-token", "fly.io", "fo1_", "[\\w-]{43}"),
  form("fly-token", "fly.io", "fm1a_ fm1r_ fm2_", "[A-Za-z0-9+/_-]{100,2048}={0,3}"),
  form("dropbox-token", "dropbox.com", "sl.u. sl.B", "[\\w-]{100,2048}"),
  form(
    "planetscale-token",
    "planetscale.com",
    "pscale_tkn_ pscale_pw_ pscale_oauth_",
    "[\\w.=-]{32,64}",
  ),
  form("heroku-key", "heroku.com", "HRKU-", "[\\w-]{36,80}"),
  form("artifactory-key", "jfrog.com", "AKCp", `${ALNUM}{60,80}`),
  form("artifactory-key", "jfrog.com", "cmVmdGtu", `${ALNUM}{56}`),
  form("alibaba-key-id", "alibabacloud.com", "LTAI", `${ALNUM}{16,26}(?!${ALNUM})`),
  form("tencent-key-id", "tencentcloud.com", "AKID", `${ALNUM}{32}(?!${ALNUM})`),
  form("yandex-key", "yandex.cloud", "AQVN", "[\\w-]{35,38}"),
  form("hubspot-token", "hubspot.com", "pat-na1- pat-na2- pat-eu1-", UUID),
  form("tailscale-key", "tailscale.com", "tskey-", "[a-z]{3,12}-[\\w-]{16,80}"),
  form("deno-deploy-token", "deno.com", "ddp_ ddo_", `${ALNUM}{36}`),
  form("contentful-token", "contentful.com", "CFPAT-", "[\\w-]{43}"),
  form("buildkite-token", "buildkite.com", "bkua_", "[0-9a-f]{40}"),
  form("circleci-token", "circleci.com", "CCIPAT_ CCIPRJ_", "[A-Za-z0-9]{22}_[0-9a-f]{40}"),
  form("sourcegraph-token", "sourcegraph.com", "sgp_", "(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40}"),
  form("shippo-token", "goshippo.com", "shippo_live_ shippo_test_", "[0-9a-f]{40}"),
  form("duffel-token", "duffel.com", "duffel_live_ duffel_test_", "[\\w-]{43}"),
  form("easypost-key", "easypost.com", "EZAK EZTK", `${ALNUM}{54}`),
  form("readme-key", "readme.com", "rdme_", "[a-z0-9]{70}"),
  form("prefect-key", "prefect.io", "pnu_", "[A-Za-z0-9]{36}"),
  form("typeform-token", "typeform.com", "tfp_", "[\\w.=-]{40,64}"),
  form("clojars-token", "clojars.org", "CLOJARS_", "[0-9a-f]{60}"),
  form("one-password-token", "1password.com", "ops_eyJ", "[A-Za-z0-9+/_-]{200,2048}={0,3}"),
  form("mapbox-token", "mapbox.com", "sk.eyJ", "[\\w-]{20,300}\\.[\\w-]{16,64}"),
  {
    ...form("azure-client-secret", "microsoft.com", "Q~", "(?<=[\\w~.]{3}\\dQ~)[\\w~.-]{31,34}"),
    before: 4,
  },
  form("azure-sas", "microsoft.com", "&sig= ?sig= ;sig=", "([A-Za-z0-9%+/_-]{40,200}={0,2})"),
  form("age-key", "age-encryption.org", "AGE-SECRET-KEY-1", "[A-Z0-9]{58}"),
  form("toolgate-key", "toolgate", "tg_", "[0-9a-f]{16}_[\\w-]{43}"),
];

function form(name: string, source: string, starts: string, rest: string): TokenForm {
  return { name, source, starts: starts.split(" "), rest };
}

function wordStart(name: string, source: string, starts: string, rest: string): TokenForm {
  return { ...form(name, source, starts, rest), atWordStart: true };
}
