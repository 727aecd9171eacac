import { configuredUpstreams } from "./configured_upstreams.ts";
import type { UpstreamSections } from "./upstreams/upstream_kinds.ts";

/** Server to tool to the operator's words for it. */
export function aliasesOf(config: UpstreamSections) {
  return Object.fromEntries(
    configuredUpstreams(config).map(({ name, settings }) => [name, settings.aliases]),
  );
}

/** Server to the title that the operator gave it. */
export function titlesOf(config: UpstreamSections) {
  return Object.fromEntries(
    configuredUpstreams(config).flatMap(({ name, settings: { title } }) =>
      title === undefined ? [] : [[name, title]]
    ),
  );
}
