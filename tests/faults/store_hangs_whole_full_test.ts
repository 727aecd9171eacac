import { testStoreFault } from "./store_faults.ts";

testStoreFault("hangs in all operations", (at) => ({ kind: "hangs whole", at }));
