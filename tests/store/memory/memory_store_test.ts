import { createMemoryStore } from "../../../src/store/memory/memory_store.ts";
import { testStoreConformance } from "../store_conformance.ts";

testStoreConformance({ name: "memory", open: (now) => Promise.resolve(createMemoryStore(now)) });
