import type { Config } from "./schema.ts";

export function aliasesOf(config: Config) {
  const servers = [...Object.entries(config.mcpServers), ...Object.entries(config.openapi)];
  return Object.fromEntries(servers.map(([name, server]) => [name, server.aliases]));
}

export function titlesOf(config: Config) {
  const servers = [...Object.entries(config.mcpServers), ...Object.entries(config.openapi)];
  return Object.fromEntries(
    servers.flatMap(([name, { title }]) => title === undefined ? [] : [[name, title]]),
  );
}
