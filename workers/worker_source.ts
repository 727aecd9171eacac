import { createMessageReader, encodeMessage } from "../src/rpc/protocol.ts";
import { installAbort } from "./realm/abort.ts";
import { bootRealm } from "./realm/boot.ts";
import { installClock } from "./realm/clock.ts";
import { installClone } from "./realm/clone.ts";
import { installConsole } from "./realm/console.ts";
import { installCrypto } from "./realm/crypto.ts";
import { installEncoding } from "./realm/encoding.ts";
import { installErrors } from "./realm/errors.ts";
import { installGlobals } from "./realm/globals.ts";
import { installIterators } from "./realm/iterators.ts";
import { installJson } from "./realm/json.ts";
import { installLostValues } from "./realm/lost_values.ts";
import { wrapHost } from "./realm/membrane.ts";
import { capturePrimordials } from "./realm/primordials.ts";
import { createApi } from "./realm/program.ts";
import { installPromises } from "./realm/promises.ts";
import { createStackCheck } from "./realm/stack_check.ts";
import { installTimers } from "./realm/timers.ts";
import type { Realm } from "./realm/realm.ts";
import { installTools } from "./realm/tools.ts";
import { installUrl } from "./realm/url.ts";
import { freezeWorker } from "./freeze_worker.ts";
import { scrubGlobals } from "./scrub_globals.ts";
import { stripProgram } from "./strip_program.ts";
import { type WorkerBoot, workerMain } from "./worker_main.ts";

const EAGER_PARTS: { readonly [name: string]: (...args: never[]) => unknown } = {
  bootRealm,
  capturePrimordials,
  createStackCheck,
  wrapHost,
  installGlobals,
  installErrors,
  installJson,
  installIterators,
  installLostValues,
  installClock,
  installPromises,
  installTimers,
  installTools,
  installConsole,
  createApi,
};

const LAZY_PARTS: { readonly [name: string]: (realm: Realm) => void } = {
  installAbort,
  installClone,
  installCrypto,
  installEncoding,
  installUrl,
};

/** `[global, the part that makes it]` */
const LAZY_GLOBALS: readonly (readonly [string, string])[] = [
  ["AbortController", "installAbort"],
  ["AbortSignal", "installAbort"],
  ["DOMException", "installAbort"],
  ["Event", "installAbort"],
  ["EventTarget", "installAbort"],
  ["TextDecoder", "installEncoding"],
  ["TextEncoder", "installEncoding"],
  ["URL", "installUrl"],
  ["URLSearchParams", "installUrl"],
  ["atob", "installEncoding"],
  ["btoa", "installEncoding"],
  ["crypto", "installCrypto"],
  ["structuredClone", "installClone"],
];

/**
 * The Worker's module: it takes a {@linkcode WorkerBoot} as its first message and evaluates it.
 *
 * Small on purpose. The runtime analyses the text of every module, and caches the compiled code
 * under the module's URL, which differs for each Worker.
 */
export const WORKER_MODULE = `
import vm from "node:vm";
import { registerHooks, stripTypeScriptTypes as stripTypes } from "node:module";
addEventListener("message", ({ data: boot }) => {
  const script = new vm.Script(boot.main, { filename: "sandbox:worker", cachedData: boot.compiled?.main });
  script.runInThisContext()({ ...boot, vm, registerHooks, stripTypes, compileMain: () => script.createCachedData() });
}, { once: true });
`;

/**
 * Renders the texts that a Worker is made of.
 *
 * Functions are included as their own source text. So the same code works from source, from a
 * bundle and from a compiled binary, and needs no file at run time.
 */
export function renderWorkerBoot(options: {
  /**
   * Parse something at once: the first use in a process is slow, and a process that is locked in
   * cannot read the runtime's cache any more.
   */
  readonly warmParser: boolean;
  /** Answer with the compiled code, for later Workers. */
  readonly share: boolean;
}): WorkerBoot {
  const eager = Object.entries(EAGER_PARTS).map(([name, part]) => `${name}: ${part}`);
  return {
    main: [
      `(boot) => (${workerMain})({`,
      `...boot,`,
      `capturePrimordials: ${capturePrimordials},`,
      `stripProgram: ${stripProgram},`,
      `scrubGlobals: ${scrubGlobals},`,
      `freezeWorker: ${freezeWorker},`,
      `encodeMessage: ${encodeMessage},`,
      `readMessages: (${createMessageReader})(),`,
      `})`,
    ].join("\n"),
    parts: `({${eager.join(",\n")}})`,
    lazyParts: Object.fromEntries(
      Object.entries(LAZY_PARTS).map(([name, part]) => [name, String(part)]),
    ),
    lazyGlobals: LAZY_GLOBALS,
    compiled: null,
    ...options,
  };
}
