import { checkEntries } from "../change_rules.ts";
import { createMemoryCounters } from "./counters.ts";
import { createMemoryDocuments } from "./documents.ts";
import { createMemoryLogs } from "./logs.ts";
import type { Store } from "../store.ts";
import { createTopicBus } from "../topic_bus.ts";

/** A store that ends with the process: for tests and trials. */
export function createMemoryStore(now: () => number = Date.now): Store {
  const documents = createMemoryDocuments(now);
  const counters = createMemoryCounters(now);
  const logs = createMemoryLogs();
  const bus = createTopicBus();
  return {
    kind: "memory",
    get: documents.get,
    list: documents.list,
    put: documents.put,
    add: counters.add,
    // deno-lint-ignore require-await -- a refusal is a rejection, as in the other backends
    async append(entries, beside = []) {
      checkEntries(entries, beside);
      logs.append(entries, () => documents.write(beside));
    },
    scan: logs.scan,
    head: logs.head,
    logs: logs.logs,
    trim(beforeTs, { log } = {}) {
      const removed = logs.trim(beforeTs, log);
      documents.removeExpired();
      counters.removeExpired();
      return Promise.resolve(removed);
    },
    check() {
      return Promise.resolve([]); // this store derives nothing from entries
    },
    notify(topic, message) {
      bus.notify(topic, message);
      return Promise.resolve();
    },
    subscribe(topic, listener) {
      const stop = bus.subscribe(topic, listener);
      return Promise.resolve(() => Promise.resolve(stop()));
    },
    fault: () => null,
    close() {
      return Promise.resolve();
    },
  };
}
