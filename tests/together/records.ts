/** The folders about what is written and read back. */
import { importFastTests } from "../import_fast_tests.ts";

await importFastTests(["audit", "usage", "search", "store"]);
