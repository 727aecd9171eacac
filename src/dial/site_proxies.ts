import { BlockList, isIP } from "node:net";
import { GateError } from "../model/errors.ts";
import { bareHost, isLoopbackName } from "../model/loopback.ts";

/** A proxy of the site. */
export interface SiteProxy {
  /** Without user and password. */
  readonly url: string;
  readonly basicAuth?: { readonly username: string; readonly password: string };
  /** `host:port`, for messages. */
  readonly name: string;
}

/** Finds the proxy for a URL; null if the URL is called directly. */
export type FindProxy = (url: URL) => SiteProxy | null;

const SCHEMES = ["http:", "https:", "socks5:", "socks5h:"];
const DEFAULT_PORTS: { readonly [scheme: string]: string } = { "http:": "80", "https:": "443" };

/**
 * Reads the proxy variables: `HTTPS_PROXY` for https, `HTTP_PROXY` for http, `ALL_PROXY` for both,
 * and `NO_PROXY` for exceptions, each also in lower case. Loopback is always called directly.
 *
 * @throws {GateError} `ERR_CONFIG` for a proxy that is not a URL; the message does not repeat the
 * text, which may hold a password.
 */
export function readSiteProxies(env: { readonly [name: string]: string }): FindProxy {
  const read = (...names: readonly string[]) => {
    for (const name of names.flatMap((one) => [one, one.toLowerCase()])) {
      const value = env[name]?.trim();
      if (value) return parseProxy(name, value);
    }
    return null;
  };
  // A CGI server copies the request header "Proxy" into `HTTP_PROXY`, so ignore it there.
  // @see https://httpoxy.org
  const isCgi = env.REQUEST_METHOD !== undefined;
  const http = isCgi ? read("http_proxy", "ALL_PROXY") : read("HTTP_PROXY", "ALL_PROXY");
  const https = read("HTTPS_PROXY", "ALL_PROXY");
  const isException = readExceptions(env.NO_PROXY || env.no_proxy || "");
  return (url) => {
    const proxy = url.protocol === "https:" ? https : http;
    return proxy === null || isLoopbackName(url.hostname) || isException(url) ? null : proxy;
  };
}

function parseProxy(variable: string, text: string): SiteProxy {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  if (url === null || !SCHEMES.includes(url.protocol) || url.hostname === "") {
    throw new GateError(
      "ERR_CONFIG",
      `Cannot use the proxy in ${variable}: it is not a proxy's URL`,
      {
        hint:
          `Write ${variable}=http://host:port, or https://, socks5:// or socks5h://, or unset it`,
      },
    );
  }
  const username = decode(url.username);
  const password = decode(url.password);
  const port = url.port || (DEFAULT_PORTS[url.protocol] ?? "1080");
  return {
    url: `${url.protocol}//${url.hostname}:${port}`,
    name: `${url.hostname}:${port}`,
    ...(username === "" && password === "" ? {} : { basicAuth: { username, password } }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone percent sign is not an escape
  }
}

/**
 * The exceptions of `NO_PROXY`: `*`, a domain with its subdomains, an address, a CIDR range. A
 * domain or address may have a port.
 */
function readExceptions(text: string): (url: URL) => boolean {
  const ranges = new BlockList();
  const names: { readonly name: string; readonly port: string | null }[] = [];
  let isAll = false;
  for (const entry of text.toLowerCase().split(/[\s,]+/).filter((part) => part !== "")) {
    if (entry === "*") isAll = true;
    else if (!addRange(ranges, entry)) names.push(parseException(entry));
  }
  return (url) => {
    if (isAll) return true;
    const host = bareHost(url.hostname);
    const family = isIP(host);
    if (family !== 0 && ranges.check(host, family === 6 ? "ipv6" : "ipv4")) return true;
    const port = url.port || DEFAULT_PORTS[url.protocol];
    return names.some((one) =>
      (one.port === null || one.port === port) &&
      (host === one.name || family === 0 && host.endsWith(`.${one.name}`))
    );
  };
}

/** Adds an address or a range; false if the entry is neither. */
function addRange(ranges: BlockList, entry: string): boolean {
  const [text = "", bits] = entry.split("/", 2);
  const address = bareHost(text);
  const family = isIP(address);
  if (family === 0) return false;
  const kind = family === 6 ? "ipv6" : "ipv4";
  if (bits === undefined) ranges.addAddress(address, kind);
  else if (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32)) {
    ranges.addSubnet(address, Number(bits), kind);
  }
  return true;
}

function parseException(entry: string): { name: string; port: string | null } {
  const [, host = entry, port = null] = /^(.*?):(\d{1,5})$/.exec(entry) ?? [];
  return { name: bareHost(host).replace(/^\*?\./, ""), port };
}
