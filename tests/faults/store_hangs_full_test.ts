import { testStoreFault } from "./store_faults.ts";

testStoreFault("hangs in one operation", (at) => ({ kind: "hangs", at }));
