import { GateError } from "../../model/errors.ts";
import type { ShipConfig } from "./place.ts";
import type { Sink } from "./sink.ts";
import { createFileSink } from "./sink_file.ts";
import { createHttpSink } from "./sink_http.ts";
import { createSyslogSink } from "./sink_syslog.ts";

export interface SinkDeps {
  /** Signs segments with the key of the checkpoints: `AuditLog.signNote`. */
  readonly signNote: (text: string) => string;
  readonly resolveSecrets: (text: string) => Promise<string>;
  readonly now: () => number;
}

/**
 * @param config with absolute paths
 * @throws {GateError} `ERR_CONFIG` for an address of an unknown kind.
 */
export function createSink(config: ShipConfig[number], deps: SinkDeps): Sink {
  const { to, headers, ca } = config;
  const readAuthorities = async () => ca === undefined ? [] : [await Deno.readTextFile(ca)];
  if (to.startsWith("file:")) {
    return createFileSink(to.slice("file:".length).replace(/^\/\//, ""), deps);
  }
  if (/^https?:\/\//.test(to)) {
    return createHttpSink(to, headers, { resolveSecrets: deps.resolveSecrets, readAuthorities });
  }
  if (/^syslog\+(tcp|tls):\/\/[^/]/.test(to) && URL.canParse(to)) {
    return createSyslogSink(new URL(to), { readAuthorities });
  }
  throw new GateError("ERR_CONFIG", `Cannot ship the audit log to "${nameOfSink(config)}"`, {
    hint: "Use file:<folder>, https://…, syslog+tcp://host:port or syslog+tls://host:port.",
  });
}

/** The address of a sink without credentials and query. */
export function nameOfSink(config: ShipConfig[number]): string {
  return config.to.replace(/\/\/[^/?#]*@/, "//").replace(/[?#].*$/, "");
}
