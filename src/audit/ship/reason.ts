import type { ShipConfig } from "./place.ts";

const REASON_CHARACTERS_MAX = 300;

/**
 * Why a delivery failed, for the log and for `/readyz`. Because `/readyz` needs no credential, the
 * reason names neither the sink's address nor a path.
 */
export function reasonOfSink(error: unknown, config: ShipConfig[number]): string {
  if (!(error instanceof Error)) return String(error).slice(0, REASON_CHARACTERS_MAX);
  if (error.name === "TimeoutError") return "it did not answer in time";
  // The runtime's messages about files end with the operation and the path.
  const text = error.message.replace(/: \w+ '.*$/s, "");
  return withoutAddress(text, config.to).slice(0, REASON_CHARACTERS_MAX).toWellFormed();
}

function withoutAddress(text: string, to: string): string {
  if (to.startsWith("file:") || !URL.canParse(to)) return text;
  const url = new URL(to);
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return text.replaceAll(`${url.hostname}:${port}`, "it").replaceAll(url.hostname, "it");
}
