import { isLoopback } from "../model/loopback.ts";
import type { Config } from "./schema.ts";
import type { ConfigProblem } from "./problems.ts";

/** Settings that would let strangers in. The service refuses them in every configuration. */
export function findExposure(config: Config): ConfigProblem[] {
  if (isLoopback(config.server.host)) return [];
  const problems: ConfigProblem[] = [];
  if (config.auth === "none") {
    problems.push({
      key: "auth",
      path: ["auth"],
      problem:
        `is "none", but server.host "${config.server.host}" is reachable from other machines`,
      remedy: 'Set "auth: keys" (see toolgate keys create) or an issuer, or host 127.0.0.1',
    });
  }
  if (config.policies === "open") {
    problems.push({
      key: "policies",
      path: ["policies"],
      problem:
        `is "open", but server.host "${config.server.host}" is reachable from other machines`,
      remedy: "Name a policy file or folder, or set host 127.0.0.1",
    });
  }
  const { auth, server } = config;
  if (typeof auth !== "string" && auth.audience === undefined && server.publicUrl === undefined) {
    problems.push({
      key: "auth.audience",
      path: ["auth", "audience"],
      problem: `is missing, and so is server.publicUrl: the audience of tokens would be whatever ` +
        `host a request names, so that a token for another service could be used here`,
      remedy: "Set server.publicUrl to the address that clients use, or auth.audience",
    });
  }
  return problems;
}
