import { resolve } from "node:path";
import type { Config } from "./schema.ts";

/** Makes every relative path of a configuration absolute, against the folder of its file. */
export function resolvePaths(config: Config, baseDir: string): Config {
  const absolute = (path: string) => resolve(baseDir, path);
  return {
    ...config,
    store: config.store.startsWith("kv:")
      ? `kv:${absolute(config.store.slice("kv:".length))}`
      : config.store,
    mcpServers: mapValues(
      config.mcpServers,
      (server) =>
        "command" in server ? { ...server, cwd: absolute(server.cwd ?? baseDir) } : server,
    ),
    openapi: mapValues(config.openapi, (api) => ({ ...api, spec: fileOrUrl(api.spec, absolute) })),
    policies: config.policies === undefined || config.policies === "open"
      ? config.policies
      : absolute(config.policies),
    ...(config.bundle === undefined ? {} : {
      bundle: {
        ...config.bundle,
        path: absolute(config.bundle.path),
        trust: config.bundle.trust.map(absolute),
      },
    }),
    audit: {
      ...config.audit,
      ...(config.audit.keys === undefined ? {} : { keys: absolute(config.audit.keys) }),
      anchors: config.audit.anchors.map((anchor) => fileOrUrl(anchor, absolute)),
      ship: config.audit.ship.map((sink) => ({
        ...sink,
        to: fileOrUrl(sink.to, absolute),
        ...(sink.ca === undefined ? {} : { ca: absolute(sink.ca) }),
      })),
    },
  };
}

/** `file:./ship` and plain paths become absolute; other schemes stay as they are. */
function fileOrUrl(place: string, absolute: (path: string) => string): string {
  if (place.startsWith("file:") && !place.startsWith("file://")) {
    return `file:${absolute(place.slice("file:".length))}`;
  }
  return /^[a-z][a-z0-9+.-]+:/i.test(place) ? place : absolute(place);
}

function mapValues<T>(
  record: { readonly [name: string]: T },
  change: (value: T) => T,
): { [name: string]: T } {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
