import { configuredUpstreams, takesAccounts } from "../../config/configured_upstreams.ts";
import { loadKeyFile } from "../../config/key_file.ts";
import type { Config } from "../../config/schema.ts";
import { serviceSecret } from "../../store/service_secret.ts";
import type { Store } from "../../store/store.ts";
import { createTokenStore } from "./token_store.ts";
import { createUserTokens, type UserTokens } from "./user_tokens.ts";

/** Opens the store for tokens of people's own accounts, if an upstream needs it. */
export async function openUserTokens(
  config: Config,
  store: Store,
): Promise<UserTokens | undefined> {
  if (!configuredUpstreams(config).some((upstream) => takesAccounts(upstream))) return undefined;
  const bytes = config.store.startsWith("kv:")
    ? await loadKeyFile(`${config.store.slice("kv:".length)}.tokens.key`)
    : await serviceSecret(store, "user-tokens");
  const key = await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
  return createUserTokens(createTokenStore(store), key);
}
