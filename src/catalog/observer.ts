import type { Log } from "../model/log.ts";
import type { Tool } from "../model/tool.ts";
import type { CatalogRecords, Observation, Observations } from "./catalog_records.ts";
import { inferShape, mergeShapes, type Shape } from "./observe_shape.ts";
import { toolKey } from "./parse_listing.ts";
import type { ServerEntry } from "./server_entry.ts";

/** Learns result types from results, and passes them on in batches. */
export interface Observer {
  observe(tool: Tool, value: unknown): void;
  close(): Promise<void>;
}

export interface ObserverDeps {
  readonly records: Pick<CatalogRecords, "saveObservations">;
  readonly entryOf: (server: string) => ServerEntry | null;
  /** Called when a type, or a count that is worth showing, has changed. */
  readonly changed: (server: string, observations: Observations) => void;
  readonly log: Log;
}

/** How long changes are collected: the catalog is not rebuilt for every result. */
const BATCH_MS = 200;
/** After this many results, only one in `SAMPLE_EVERY` is read. */
const EVERY_RESULT_MAX = 50;
const SAMPLE_EVERY = 16;
const SHAPE_CHARS_MAX = 20_000;

export function createObserver(deps: ObserverDeps): Observer {
  /** By server: observations that are not yet in its entry. */
  const news = new Map<string, Map<string, Observation>>();
  const skipped = new Map<string, number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let saving: Promise<unknown> = Promise.resolve();

  function observe(tool: Tool, value: unknown): void {
    const entry = deps.entryOf(tool.server);
    if (tool.outputSchema !== null || value === undefined || entry === null) return;
    const key = toolKey(tool);
    const known = news.get(tool.server)?.get(key) ?? ownObservation(entry.observations, key);
    if (known !== null && isSkipped(`${tool.server}\n${key}`, known.results)) return;
    const next = add(known, inferShape(value));
    const list = news.get(tool.server) ?? new Map<string, Observation>();
    news.set(tool.server, list.set(key, next));
    if (timer === undefined && isWorthShowing(known, next)) {
      timer = setTimeout(flush, BATCH_MS);
    }
  }

  function isSkipped(key: string, results: number): boolean {
    if (results < EVERY_RESULT_MAX) return false;
    const count = ((skipped.get(key) ?? 0) + 1) % SAMPLE_EVERY;
    skipped.set(key, count);
    return count !== 0;
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const [server, list] of news) {
      const entry = deps.entryOf(server);
      if (entry === null) continue;
      const observations = { ...entry.observations, ...Object.fromEntries(list) };
      deps.changed(server, observations);
      saving = saving.then(() => deps.records.saveObservations(server, observations))
        .catch((error) => {
          deps.log("warn", "Cannot save observed types", { server, cause: `${error}` });
        });
    }
    news.clear();
  }

  return {
    observe,
    async close() {
      flush();
      await saving;
    },
  };
}

function add(known: Observation | null, shape: Shape): Observation {
  if (known === null) return { shape, results: 1 };
  const merged = mergeShapes(known.shape, shape);
  // The results of this tool have too little in common: more of them would not describe it better.
  const isTooLarge = JSON.stringify(merged).length > SHAPE_CHARS_MAX;
  return { shape: isTooLarge ? known.shape : merged, results: known.results + 1 };
}

/** A new type, or a count of 1, 2, 5, 10, 20, 50 and so on. */
function isWorthShowing(known: Observation | null, next: Observation): boolean {
  if (known === null) return true;
  return /^[125]0*$/.test(String(next.results)) ||
    JSON.stringify(known.shape) !== JSON.stringify(next.shape);
}

function ownObservation(observations: Observations, key: string): Observation | null {
  return Object.hasOwn(observations, key) ? observations[key] ?? null : null;
}
