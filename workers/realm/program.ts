import type { Realm, RealmApi, RealmSettings } from "./realm.ts";

/** Runs the program of the realm and reports its outcome once. */
export function createApi(realm: Realm): RealmApi {
  "use strict";
  const { p, host } = realm;
  const unhandled = new p.Map<object, string>();
  const READ_ROUNDS_MAX = 10;

  function finish(kind: string, body: string): void {
    if (realm.finished) return;
    warn();
    host.send(kind, 0, body, realm.leftovers(), "");
    realm.finished = true;
  }

  /** Logs mistakes of the program that would otherwise go unnoticed. */
  function warn(): void {
    const floating = realm.floatingCalls();
    if (floating !== "") {
      host.send(
        "n",
        0,
        realm.hasFailedCall()
          ? "Still running at the end, result dropped: " + floating + ". Promise.all ends at the " +
            "first failure and Promise.allSettled waits for all; else put `await` before the call."
          : "Not awaited, result dropped: " + floating + ". Put `await` before the call.",
        "",
        "",
      );
    }
    let shown = 0;
    p.mapForEach(unhandled, (text) => {
      if (shown++ < 5) {
        host.send("n", 0, "Unhandled rejection: " + p.slice(text, 0, 500), "", "");
      }
    });
  }

  function fail(thrown: unknown): void {
    if (realm.finished) return;
    finish("f", p.stringify(realm.describeFailure(thrown)));
  }

  async function run(program: () => unknown): Promise<void> {
    try {
      let value = await program();
      // The program is an arrow function or `export default async () => …`: call it.
      if (typeof value === "function" && !p.weakHas(realm.toolFunctions, value)) {
        value = await value();
      }
      if (realm.finished) return;
      if (typeof value === "function") {
        throw realm.failure(
          "TypeError",
          "The result is " + toolName(value) + " itself, not what it returns",
          {
            hint: p.weakHas(realm.toolFunctions, value)
              ? "Call it: await tools." + toolName(value) + "(args)."
              : "Call it and return what it gives.",
            code: "ERR_RESULT_FORM",
            call: null,
          },
        );
      }
      const json = await settledJson(value) ?? "";
      if (realm.finished) return;
      if (json.length > realm.settings.realm.resultCharsMax) {
        throw realm.failure(
          "RangeError",
          "The result has " + json.length + " characters, the limit is " +
            realm.settings.realm.resultCharsMax,
          {
            hint: "Filter, aggregate or slice it and return less.",
            code: "ERR_SANDBOX_RESULT_SIZE",
            call: null,
          },
        );
      }
      noteLost(value, json);
      finish("d", json);
    } catch (thrown) {
      fail(thrown);
    }
  }

  function toolName(value: object): string {
    return p.weakGet(realm.toolFunctions, value) ?? "a function";
  }

  /** The result as JSON. Reads its async iterators first; their values may hold more iterators. */
  async function settledJson(value: unknown): Promise<string | undefined> {
    for (let round = 0; round < READ_ROUNDS_MAX; round++) {
      const unread: object[] = realm.unread = [];
      let json: string | undefined;
      try {
        json = resultJson(value);
      } finally {
        realm.unread = null;
      }
      if (unread.length === 0) return json;
      await realm.readAsync(unread);
    }
    return resultJson(value);
  }

  /** Warns of a result whose numbers became null: it looks like a result without numbers. */
  function noteLost(value: unknown, json: string): void {
    const lost = realm.lostValues(value, json, "result", true);
    if (lost !== "") {
      host.send("n", 0, p.slice(lost, 0, 1_000) + "; JSON has null there.", "", "");
    }
    if (p.includes(json, "[object Promise]")) {
      host.send(
        "n",
        0,
        "The result has the text of a promise in it: put `await` before it.",
        "",
        "",
      );
    }
  }

  function resultJson(value: unknown): string | undefined {
    try {
      return realm.toJson(value, "result");
    } catch (thrown) {
      // Memory or stack ended: the value itself may have a JSON form.
      if (!(thrown instanceof p.Error) || thrown instanceof p.RangeError) throw thrown;
      const mark = p.weakGet(realm.marks, thrown);
      p.weakSet(realm.marks, thrown, {
        hint: mark === undefined || mark.hint === "" ? "Return plain data." : mark.hint,
        code: mark?.code ?? "ERR_RESULT_FORM",
        call: null,
      });
      throw thrown;
    }
  }

  return p.freeze({
    __proto__: null,
    configure(settings: string, names: string, places: string) {
      realm.settings = p.parse(settings) as RealmSettings;
      realm.names = names;
      realm.places = p.parse(places);
      const seed = realm.settings.seed;
      if (seed !== null) realm.seedClock(seed.epochMs, seed.random);
    },
    start(program: () => unknown) {
      void run(program);
    },
    deliver(id: number, ok: boolean, text: string, atMs: number) {
      if (realm.finished) return;
      const seed = realm.settings.seed;
      if (seed !== null) realm.advanceTo(seed.epochMs + atMs);
      if (id < 0) realm.deliverOther(id, ok, text);
      else realm.deliverCall(id, ok, text);
    },
    fire(id: number) {
      if (realm.finished) return;
      try {
        realm.fireTimer(id);
      } catch (thrown) {
        fail(thrown);
      }
    },
    unhandled(reason: unknown, promise: object) {
      if (realm.finished || p.mapSize(unhandled) >= 100) return;
      let text = "";
      try {
        text = realm.describe(reason);
      } catch {
        text = "a value that cannot be described";
      }
      p.mapSet(unhandled, promise, text);
    },
    handled(promise: object) {
      p.mapDelete(unhandled, promise);
    },
    checkStalled() {
      if (realm.finished) return;
      realm.sendWaiting();
      if (realm.pendingCalls() > 0 || realm.pendingTimers() > 0 || realm.otherPending > 0) return;
      const error = realm.failure(
        "Error",
        "The program waits for a promise that nothing can settle",
        {
          hint:
            "No call and no timer is pending. Look for a promise whose resolve is never called.",
          code: "ERR_SANDBOX_STALLED",
          call: null,
        },
      );
      fail(error);
    },
  }) as unknown as RealmApi;
}
