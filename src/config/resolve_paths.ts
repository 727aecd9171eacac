import { resolve } from "node:path";
import { resolveUpstreamPaths } from "./configured_upstreams.ts";
import type { Config } from "./schema.ts";

/** Makes every relative path of a configuration absolute, against the folder of its file. */
export function resolvePaths(config: Config, baseDir: string): Config {
  const absolute = (path: string) => resolve(baseDir, path);
  const paths = { baseDir, absolute, fileOrUrl: (place: string) => fileOrUrl(place, absolute) };
  return {
    ...config,
    store: config.store.startsWith("kv:")
      ? `kv:${absolute(config.store.slice("kv:".length))}`
      : config.store,
    ...resolveUpstreamPaths(config, paths),
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
      anchors: config.audit.anchors.map(paths.fileOrUrl),
      ship: config.audit.ship.map((sink) => ({
        ...sink,
        to: paths.fileOrUrl(sink.to),
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
