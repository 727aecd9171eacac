import type { Config } from "../config/schema.ts";
import type { SiteFetch } from "../dial/site_fetch.ts";
import type { Log } from "../model/log.ts";
import { createEmbedder } from "./embedder.ts";
import { createSemantic, type Semantic } from "./semantic.ts";

export interface OpenSemanticDeps {
  readonly fetch: SiteFetch;
  /** Resolves references to secrets such as `${env:NAME}`. */
  readonly resolveSecrets: (text: string) => Promise<string>;
  readonly log: Log;
  readonly now?: () => number;
}

/** The semantic ranking that the configuration asks for; undefined without one. */
export function openSemantic(
  config: Config["search"]["embeddings"],
  deps: OpenSemanticDeps,
): Semantic | undefined {
  if (config === undefined) return undefined;
  const { url, model, apiKey, weight, timeoutMs } = config;
  return createSemantic({
    embedder: createEmbedder({
      url,
      model,
      apiKey: async () => apiKey === undefined ? null : await deps.resolveSecrets(apiKey),
      fetch: deps.fetch,
    }),
    weight,
    timeoutMs,
    log: deps.log,
    now: deps.now ?? Date.now,
  });
}
