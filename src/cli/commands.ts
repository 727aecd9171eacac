import type { Command, CommandGroup } from "./command.ts";
import { auditCommands } from "./commands/audit.ts";
import { bundleCommands } from "./commands/bundle.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { importCommand } from "./commands/import.ts";
import { keysCommands } from "./commands/keys.ts";
import { policyCommands } from "./commands/policy.ts";
import { runProgramCommand } from "./commands/run.ts";
import { searchCommand } from "./commands/search.ts";
import { serveCommand } from "./commands/serve.ts";
import { toolsCommands } from "./commands/tools.ts";
import { typesCommand } from "./commands/types.ts";
import { usageCommand } from "./commands/usage.ts";

/** Every command, in the order of the help. A new command is one file and one line here. */
export const COMMANDS: readonly (Command | CommandGroup)[] = [
  serveCommand,
  searchCommand,
  runProgramCommand,
  typesCommand,
  toolsCommands,
  policyCommands,
  auditCommands,
  usageCommand,
  keysCommands,
  bundleCommands,
  importCommand,
  doctorCommand,
  demoCommand,
];
