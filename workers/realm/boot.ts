import type { Realm, RealmApi, RealmHost } from "./realm.ts";

/** The parts that every program gets, by their function names. */
export interface RealmParts {
  readonly capturePrimordials: () => Realm["p"];
  readonly createStackCheck: (p: Realm["p"]) => { needStack(): void; needHostStack(): void };
  readonly wrapHost: (p: Realm["p"], host: RealmHost, needHostStack: () => void) => RealmHost;
  readonly installGlobals: (realm: Realm) => void;
  readonly installErrors: (realm: Realm) => void;
  readonly installJson: (realm: Realm) => void;
  readonly installIterators: (realm: Realm) => void;
  readonly installLostValues: (realm: Realm) => void;
  readonly installClock: (realm: Realm) => void;
  readonly installPromises: (realm: Realm) => void;
  readonly installTimers: (realm: Realm) => void;
  readonly installTools: (realm: Realm) => void;
  readonly installConsole: (realm: Realm) => void;
  readonly createApi: (realm: Realm) => RealmApi;
}

/** The Worker's access to a realm. */
export interface BootedRealm {
  readonly api: RealmApi;
  /** Calls a lazy part; false if it failed for another reason than the stack limit. */
  readonly install: (part: (realm: Realm) => void) => boolean;
}

/**
 * Sets up the realm in which it is evaluated. Runs once, before the program.
 *
 * @param lazy names of globals, and for each the lazy part that makes it.
 */
export function bootRealm(
  parts: RealmParts,
  host: RealmHost,
  lazy: readonly (readonly [string, string])[],
): BootedRealm {
  "use strict";
  const p = parts.capturePrimordials();
  const { needStack, needHostStack } = parts.createStackCheck(p);
  const others = new p.Map<number, (ok: boolean, text: string) => void>();
  let lastOther = 0;
  const realm = {
    __proto__: null,
    p,
    host: parts.wrapHost(p, host, needHostStack),
    needStack,
    global: globalThis,
    settings: null,
    places: null,
    names: "",
    finished: false,
    otherPending: 0,
    isDescribing: false,
    unread: null,
    marks: new p.WeakMap(),
    toolFunctions: new p.WeakMap(),
    wait(start: (id: number) => void, settle: (ok: boolean, text: string) => void): void {
      const id = --lastOther;
      start(id);
      p.mapSet(others, id, settle);
      realm.otherPending++;
    },
    deliverOther(id: number, ok: boolean, text: string): void {
      const settle = p.mapGet(others, id);
      if (settle === undefined) return;
      p.mapDelete(others, id);
      realm.otherPending--;
      settle(ok, text);
    },
  } as unknown as Realm;
  parts.installGlobals(realm);
  parts.installErrors(realm);
  parts.installJson(realm);
  parts.installIterators(realm);
  parts.installLostValues(realm);
  parts.installClock(realm);
  parts.installPromises(realm);
  parts.installTimers(realm);
  parts.installTools(realm);
  parts.installConsole(realm);
  for (let index = 0; index < lazy.length; index++) {
    realm.defineLazy(lazy[index]![0], lazy[index]![1]);
  }
  const install: BootedRealm["install"] = (part) => {
    try {
      part(realm);
      return true;
    } catch (thrown) {
      if (thrown instanceof p.RangeError) throw thrown;
      return false;
    }
  };
  return p.freeze({ __proto__: null, api: parts.createApi(realm), install }) as BootedRealm;
}
