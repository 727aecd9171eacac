/** The folders about what calls others. */
import { importFastTests } from "../import_fast_tests.ts";

await importFastTests(["upstream", "dial"]);
