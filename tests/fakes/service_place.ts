import { runToolgate, type ServiceProcess, spawnService } from "./service_process.ts";

/** A folder with a configuration, for services and commands in processes of their own. */
export interface ServicePlace {
  readonly folder: string;
  readonly configFile: string;
  readonly serviceFile: string;
  readonly start: (
    options?: Parameters<typeof spawnService>[2],
  ) => Promise<ServiceProcess>;
  readonly list: (
    options?: Parameters<typeof runToolgate>[1],
  ) => ReturnType<typeof runToolgate>;
}

/** Removes the folder afterwards. */
export async function withServicePlace(
  use: (place: ServicePlace) => Promise<void>,
  config: { readonly [key: string]: unknown } = {},
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "toolgate-restart-" });
  const configFile = `${folder}/toolgate.json`;
  const serviceFile = `${folder}/toolgate.kv.service.json`;
  await Deno.writeTextFile(
    configFile,
    JSON.stringify({
      server: { port: 0 },
      store: `kv:${folder}/toolgate.kv`,
      policies: "open",
      preflight: "off",
      mcpServers: {},
      ...config,
    }),
  );
  try {
    await use({
      folder,
      configFile,
      serviceFile,
      start: (options) => spawnService(configFile, serviceFile, options),
      list: (options) => runToolgate(["audit", "list", "--config", configFile, "--json"], options),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
