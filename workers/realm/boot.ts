import type { Realm, RealmApi, RealmHost } from "./realm.ts";

/** The parts that every program gets, by their function names. */
export interface RealmParts {
  readonly capturePrimordials: () => Realm["p"];
  readonly installGlobals: (realm: Realm) => void;
  readonly installErrors: (realm: Realm) => void;
  readonly installJson: (realm: Realm) => void;
  readonly installClock: (realm: Realm) => void;
  readonly installPromises: (realm: Realm) => void;
  readonly installTimers: (realm: Realm) => void;
  readonly installTools: (realm: Realm) => void;
  readonly installConsole: (realm: Realm) => void;
  readonly createApi: (realm: Realm) => RealmApi;
}

/**
 * Furnishes the realm it is evaluated in. Runs once, before the program.
 *
 * @param lazy names of globals and the lazy part that makes each.
 * @returns the realm's own state for lazy parts, and what the Worker may call.
 */
export function bootRealm(
  parts: RealmParts,
  host: RealmHost,
  lazy: readonly (readonly [string, string])[],
): { readonly realm: Realm; readonly api: RealmApi } {
  "use strict";
  const p = parts.capturePrimordials();
  const others = new p.Map<number, (ok: boolean, text: string) => void>();
  let lastOther = 0;
  const realm = {
    __proto__: null,
    p,
    host,
    global: globalThis,
    settings: null,
    places: null,
    names: "",
    finished: false,
    otherPending: 0,
    marks: new p.WeakMap(),
    toolFunctions: new p.WeakMap(),
    wait(settle: (ok: boolean, text: string) => void): number {
      const id = --lastOther;
      p.mapSet(others, id, settle);
      realm.otherPending++;
      return id;
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
  parts.installClock(realm);
  parts.installPromises(realm);
  parts.installTimers(realm);
  parts.installTools(realm);
  parts.installConsole(realm);
  for (let index = 0; index < lazy.length; index++) {
    realm.defineLazy(lazy[index]![0], lazy[index]![1]);
  }
  return p.freeze({ __proto__: null, realm, api: parts.createApi(realm) }) as unknown as {
    readonly realm: Realm;
    readonly api: RealmApi;
  };
}
