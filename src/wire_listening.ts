import type { AuditLog } from "./audit/audit_log.ts";
import { type Shipping, startShipping } from "./audit/ship/ship.ts";
import type { LoadedConfig } from "./config/load_config.ts";
import type { ResolveSecrets } from "./config/secrets.ts";
import {
  type PublishedServiceFile,
  publishServiceFile,
  type ServiceFile,
  serviceFilePaths,
} from "./config/service_file.ts";
import type { Log } from "./model/log.ts";
import type { Store } from "./store/store.ts";

/**
 * Tasks of a service from the moment it listens until it closes: it is found, and ships records.
 */
export interface Listening {
  /** Lets commands on this machine find the service, and starts to ship records. */
  start(service: ServiceFile): Promise<void>;
  /** Null until the service listens. */
  shipping(): Shipping | null;
  close(): Promise<void>;
}

export interface ListeningDeps {
  readonly loaded: LoadedConfig;
  readonly store: Store;
  readonly audit: Pick<AuditLog, "signNote">;
  readonly resolveSecrets: ResolveSecrets;
  /** An environment variable, or undefined. */
  readonly env: (name: string) => string | undefined;
  /** The service's time, which never goes back. */
  readonly now: () => number;
  readonly log: Log;
}

const DAY_MS = 86_400_000;

export function wireListening(deps: ListeningDeps): Listening {
  const { loaded, store, audit, resolveSecrets, now, log } = deps;
  const { audit: config } = loaded.config;
  let published: PublishedServiceFile | null = null;
  let shipping: Shipping | null = null;
  return {
    async start(service) {
      const paths = serviceFilePaths(loaded, deps.env);
      published = await publishServiceFile(paths, service);
      if (published === null) {
        const problem = "Commands on this machine will not find it: no folder takes its file";
        log("warn", problem, { tried: paths });
      }
      shipping = startShipping({
        store,
        signNote: audit.signNote,
        resolveSecrets,
        retentionMs: config.retentionDays * DAY_MS,
        now,
        log,
      }, config.ship);
    },
    shipping: () => shipping,
    async close() {
      await shipping?.close();
      await published?.withdraw();
    },
  };
}
