import { lookup as systemLookup } from "node:dns/promises";
import { isLoopbackName } from "../../model/loopback.ts";
import { withinMs } from "../../model/time/within_ms.ts";
import { type AddressKind, classifyAddress } from "./ip_address.ts";

/** The guard refuses this URL. The message holds no secret. */
export class OutboundRefusedError extends Error {
  override readonly name = "OutboundRefusedError";
}

/** Resolves a name to every address it has. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

export interface AddressGuardOptions {
  /** The URLs that the operator configured: their origins may be on the loopback interface. */
  readonly configured: readonly string[];
  readonly allowPrivateNetwork: boolean;
  readonly lookup: Lookup;
}

export interface AddressGuard {
  /**
   * Checks the URL alone: scheme, user, a literal address.
   *
   * @throws {OutboundRefusedError}
   */
  checkUrl(url: URL): void;
  /**
   * Resolves the host and checks every address it has.
   *
   * @returns addresses to connect to, IPv4 first. Use only these: a second lookup of the name may
   * give an address that was not checked.
   * @throws {OutboundRefusedError}
   */
  resolve(url: URL): Promise<readonly string[]>;
  /**
   * Checks a URL that a proxy will resolve. Checks its addresses too, if our own resolver knows
   * them.
   *
   * @throws {OutboundRefusedError}
   */
  checkKnown(url: URL): Promise<void>;
}

const CACHE_MS = 10_000;
const CACHE_ENTRIES_MAX = 256;
/** Many sites behind a proxy cannot resolve outside names: calls wait at most this long. */
const KNOWN_MS_MAX = 1_000;
const UNKNOWN_CACHE_MS = 60_000;

/** The system's resolver, with its hosts file. */
export const lookupAll: Lookup = async (hostname) =>
  (await systemLookup(hostname, { all: true })).map(({ address }) => address);

/**
 * Keeps calls away from addresses that only this machine or its network can reach.
 *
 * Loopback is allowed for an origin that the operator configured as such; private and link-local
 * addresses need `allowPrivateNetwork`; metadata services of clouds are never called.
 */
export function createAddressGuard(options: AddressGuardOptions): AddressGuard {
  const configuredOrigins = new Set(options.configured.map((text) => new URL(text).origin));
  const cache = new Map<string, { addresses: readonly string[]; until: number }>();
  const unknown = new Map<string, number>();

  const isAllowed = (kind: AddressKind, url: URL): boolean => {
    if (kind === "public") return true;
    if (kind === "metadata" || kind === "reserved") return false;
    if (options.allowPrivateNetwork) return true;
    const isOwn = classifyAddress(url.hostname) !== null || isLoopbackName(url.hostname);
    return kind === "loopback" && isOwn && configuredOrigins.has(url.origin);
  };
  const check = (url: URL, address: string) => {
    const kind = classifyAddress(address);
    if (kind === null) throw new OutboundRefusedError(`${url.host} resolves to no IP address`);
    if (isAllowed(kind, url)) return;
    const remedy = kind === "metadata" || kind === "reserved"
      ? ""
      : "; set allowPrivateNetwork to call it";
    throw new OutboundRefusedError(`${url.host} leads to a ${kind} address${remedy}`);
  };
  const guard: AddressGuard = {
    checkUrl(url) {
      if (url.protocol !== "https:" && url.protocol !== "http:") {
        throw new OutboundRefusedError(`${url.protocol} URLs are not called`);
      }
      if (url.username !== "" || url.password !== "") {
        throw new OutboundRefusedError("A URL with a user or password in it is not called");
      }
      if (classifyAddress(url.hostname) !== null) check(url, url.hostname);
    },
    async resolve(url) {
      guard.checkUrl(url);
      if (classifyAddress(url.hostname) !== null) return [url.hostname.replace(/^\[(.*)\]$/, "$1")];
      const known = cache.get(url.hostname);
      const addresses = known !== undefined && known.until > Date.now()
        ? known.addresses
        : await options.lookup(url.hostname);
      if (addresses.length === 0) throw new OutboundRefusedError(`${url.host} has no address`);
      // A hostile name may hide one bad address behind good ones, so check them all.
      for (const address of addresses) check(url, address);
      if (cache.size >= CACHE_ENTRIES_MAX) cache.clear();
      if (addresses !== known?.addresses) {
        cache.set(url.hostname, { addresses, until: Date.now() + CACHE_MS });
      }
      return [...addresses].sort((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
    },
    async checkKnown(url) {
      guard.checkUrl(url);
      if ((unknown.get(url.hostname) ?? 0) > Date.now()) return;
      const answer = await withinMs(
        guard.resolve(url).catch((error: unknown) => error),
        KNOWN_MS_MAX,
      );
      if (answer instanceof OutboundRefusedError) throw answer;
      if (Array.isArray(answer)) return;
      if (unknown.size >= CACHE_ENTRIES_MAX) unknown.clear();
      unknown.set(url.hostname, Date.now() + UNKNOWN_CACHE_MS);
    },
  };
  return guard;
}
