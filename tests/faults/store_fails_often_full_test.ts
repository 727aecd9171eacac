import { testStoreFault } from "./store_faults.ts";

testStoreFault("fails for 25 operations", (at) => ({ kind: "fails", at, count: 25 }));
