/** Makes calls until it is killed: announces each, acts by a line in a file, records the outcome. */
import { openAuditLog } from "../../../src/audit/audit_log.ts";
import { openKvStore } from "../../../src/store/kv/kv_store.ts";
import { CONFIG, intent, outcome } from "../audit_fixture.ts";

const [storePath = "", keysPath = "", effectsPath = ""] = Deno.args;
const store = await openKvStore(storePath);
const log = await openAuditLog({ store, chain: "main", config: CONFIG, keysPath });
const effects = await Deno.open(effectsPath, { append: true });
const encoder = new TextEncoder();
let made = 0;

async function work(worker: number): Promise<void> {
  for (let n = 0;; n++) {
    const call = `${Deno.pid}-${worker}:${n}`;
    await log.append(intent(call), { args: JSON.stringify({ n }) });
    effects.writeSync(encoder.encode(`${call}\n`));
    if (++made === 300) console.log("300 calls made");
    await log.append(outcome(call), { result: "1" });
  }
}

// One call that is under way whenever the process ends.
await log.append(intent(`${Deno.pid}-hanging:0`));
await Promise.all(Array.from({ length: 32 }, (_, worker) => work(worker)));
