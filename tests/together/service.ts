/** The folders whose tests are about the service, from its edge inwards. */
import { importFastTests } from "../import_fast_tests.ts";

await importFastTests(["supervisor", "operations", "mcp", "http", "console", "auth", "cli"]);
