import { createProxySenders, type ProxySenders } from "./proxy_senders.ts";
import { TlsTunnel } from "./tls_tunnel.ts";

/** Senders through the proxies of the site, one for each set of certificate authorities. */
export interface SenderSets {
  readonly sendersFor: (caCerts: readonly string[]) => ProxySenders;
  readonly close: () => Promise<void>;
}

interface SenderSet {
  readonly senders: ProxySenders;
  readonly tunnel: TlsTunnel;
}

/**
 * Keeps the most recently used sets. Each new content of a file of authorities makes a new set; the
 * least recently used set is dropped and its connections are closed.
 */
export function createSenderSets(setsMax: number): SenderSets {
  const sets = new Map<string, SenderSet>();
  return {
    sendersFor(caCerts) {
      const key = caCerts.join("\n");
      const set = sets.get(key) ?? openSet(caCerts);
      // A map keeps insertion order, so this moves the set to the end.
      sets.delete(key);
      sets.set(key, set);
      const [oldest] = sets;
      if (sets.size > setsMax && oldest !== undefined) {
        sets.delete(oldest[0]);
        // The caller has another set and does not wait for this one.
        closeSet(oldest[1]).catch(() => {});
      }
      return set.senders;
    },
    async close() {
      const open = [...sets.values()];
      sets.clear();
      await Promise.all(open.map(closeSet));
    },
  };
}

function openSet(caCerts: readonly string[]): SenderSet {
  const tunnel = new TlsTunnel({ isBackground: true });
  return { senders: createProxySenders(tunnel, caCerts), tunnel };
}

async function closeSet({ senders, tunnel }: SenderSet): Promise<void> {
  senders.close();
  await tunnel.close();
}
