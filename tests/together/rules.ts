/** The folders about what is decided, and about the texts that are read for it. */
import { importFastTests } from "../import_fast_tests.ts";

await importFastTests(["policy", "config", "model", "rpc", "program", "catalog"]);
