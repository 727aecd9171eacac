import { testStoreFault } from "./store_faults.ts";

testStoreFault("fails once", (at) => ({ kind: "fails", at, count: 1 }));
testStoreFault("fails late, after it was durable", (at) => ({ kind: "fails late", at }));
