/** The folders about what runs programs, and what checks them. */
import { importFastTests } from "../import_fast_tests.ts";

await importFastTests(["sandbox", "escape", "checker"]);
