import type { Log } from "../model/log.ts";
import {
  createServiceClock,
  describeJump,
  type ServiceClock,
} from "../model/time/service_clock.ts";
import type { Store } from "../store/store.ts";

/** The service's clock, which starts no earlier than the newest record of its chain. */
export async function openServiceClock(
  store: Pick<Store, "head">,
  chain: string,
  log: Log,
): Promise<ServiceClock> {
  return createServiceClock({
    wall: Date.now,
    monotonic: () => performance.now(),
    floorMs: (await store.head(chain))?.ts ?? 0,
    onJump: (byMs, status) => log("warn", describeJump(byMs, status)),
  });
}
