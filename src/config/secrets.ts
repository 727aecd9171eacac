/**
 * Secret references in configuration texts: `${env:NAME}`, `${file:PATH}`, `${exec:COMMAND}`.
 * Directly before a reference two dollars stand for one: `$${env:NAME}` is the text `${env:NAME}`.
 *
 * A reference stays unresolved in the configuration. Code that needs the value resolves the
 * reference at the last moment and drops the value afterwards. Errors name only the reference,
 * never its value or the output of a command.
 */
import { resolve } from "node:path";
import { GateError } from "../model/errors.ts";
import { type CommandBounds, type CommandOutput, runCommand } from "./run_command.ts";
import { siteVariable } from "./site_environment.ts";

export interface SecretDeps {
  readonly env: (name: string) => string | undefined;
  readonly readTextFile: (path: string) => Promise<string>;
  /** Runs a shell command; fails if the output has more than `outputBytesMax` bytes. */
  readonly runCommand: (command: string, bounds: CommandBounds) => Promise<CommandOutput>;
  /** Milliseconds, any origin. */
  readonly now: () => number;
  /** Folder for relative paths and for commands. */
  readonly baseDir: string;
}

/** The machine's own environment, files and shell. */
export function systemSecretDeps(baseDir: string): SecretDeps {
  return {
    env: siteVariable,
    readTextFile: (path) => Deno.readTextFile(path),
    runCommand,
    now: Date.now,
    baseDir,
  };
}

/** Replaces every reference in a text; other text, also `${HOME}`, stays as it is. */
export type ResolveSecrets = (text: string) => Promise<string>;

interface SecretReference {
  readonly kind: "env" | "file" | "exec";
  readonly name: string;
}

/** How long the output of a command is kept: password managers are slow and ask people. */
export const EXEC_CACHE_MS = 60_000;
const EXEC_TIMEOUT_MS = 15_000;
const SECRET_BYTES_MAX = 65_536;
const EXEC_CACHE_ENTRIES_MAX = 200;

/**
 * Makes the resolver of one configuration.
 *
 * The resolver throws GateError `ERR_CREDENTIAL`, with the reference and the remedy, if a reference
 * has no value.
 */
export function createSecretResolver(deps: SecretDeps): ResolveSecrets {
  const outputs = new Map<string, { until: number; value: Promise<string> }>();

  const resolveExec = (command: string): Promise<string> => {
    const kept = outputs.get(command);
    if (kept !== undefined && kept.until > deps.now()) return kept.value;
    if (outputs.size >= EXEC_CACHE_ENTRIES_MAX) outputs.clear();
    const value = runForSecret(deps, command);
    outputs.set(command, { until: deps.now() + EXEC_CACHE_MS, value });
    // Do not keep a failure: the next caller tries again.
    value.catch(() => outputs.delete(command));
    return value;
  };

  return async (text) => {
    let resolved = "";
    for (const part of parseReferences(text)) {
      if (typeof part === "string") resolved += part;
      else if (part.kind === "env") resolved += readEnvironment(deps, part.name);
      else if (part.kind === "file") resolved += await readSecretFile(deps, part.name);
      else resolved += await resolveExec(part.name);
    }
    return resolved;
  };
}

/** Escapes a text so that a resolver returns exactly this text. */
export function escapeReferences(text: string): string {
  return text.replaceAll(OPENER, (opener) => opener.replaceAll("$", "$$$$"));
}

/** The references of a text, in order. */
export function findReferences(text: string): SecretReference[] {
  return parseReferences(text).filter((part) => typeof part !== "string");
}

/** The start of a reference, with every dollar before it. */
const OPENER = /(\$+)\{(env|file|exec):/g;

/** Splits a text into plain parts and references. A command may hold balanced braces. */
function parseReferences(text: string): (string | SecretReference)[] {
  const parts: (string | SecretReference)[] = [];
  const opener = new RegExp(OPENER);
  let from = 0;
  for (let match = opener.exec(text); match !== null; match = opener.exec(text)) {
    const [, dollars = "", kind] = match;
    const nameStart = opener.lastIndex;
    parts.push(text.slice(from, match.index) + "$".repeat(dollars.length / 2));
    from = match.index + dollars.length;
    if (dollars.length % 2 === 0) continue;
    const end = findClosingBrace(text, nameStart);
    if (end === -1) {
      // A reference without its closing brace is plain text, like everything after it.
      from = match.index;
      break;
    }
    parts.push({ kind: kind as SecretReference["kind"], name: text.slice(nameStart, end) });
    from = end + 1;
    opener.lastIndex = from;
  }
  parts.push(text.slice(from));
  return parts;
}

/** @returns the position of the brace that closes one opened before `from`, or -1 */
export function findClosingBrace(text: string, from: number): number {
  let depth = 1;
  for (let index = from; index < text.length; index++) {
    if (text[index] === "{") depth++;
    else if (text[index] === "}" && --depth === 0) return index;
  }
  return -1;
}

function readEnvironment(deps: SecretDeps, name: string): string {
  const value = deps.env(name);
  if (value !== undefined) return value;
  throw new GateError("ERR_CREDENTIAL", `Cannot resolve "\${env:${name}}": it is not set`, {
    hint: `Set ${name} in the environment of the service`,
  });
}

async function readSecretFile(deps: SecretDeps, name: string): Promise<string> {
  let text: string;
  try {
    text = await deps.readTextFile(resolve(deps.baseDir, name));
  } catch (error) {
    throw new GateError(
      "ERR_CREDENTIAL",
      `Cannot resolve "\${file:${name}}": the file cannot be read`,
      { hint: `Create ${resolve(deps.baseDir, name)}, readable by the service`, cause: error },
    );
  }
  if (text.length > SECRET_BYTES_MAX) {
    throw new GateError(
      "ERR_CREDENTIAL",
      `Cannot resolve "\${file:${name}}": the file is larger than ${SECRET_BYTES_MAX} characters`,
      { hint: "Name a file that holds the secret alone" },
    );
  }
  return withoutLastNewline(text);
}

async function runForSecret(deps: SecretDeps, command: string): Promise<string> {
  const { code, stdout } = await deps.runCommand(command, {
    cwd: deps.baseDir,
    timeoutMs: EXEC_TIMEOUT_MS,
    outputBytesMax: SECRET_BYTES_MAX,
  });
  if (code === 0) return withoutLastNewline(stdout);
  const program = command.trim().split(/\s/, 1)[0] ?? "";
  const state = code === null
    ? `it took more than ${EXEC_TIMEOUT_MS} ms or ${SECRET_BYTES_MAX} bytes`
    : `it ended with exit code ${code}`;
  throw new GateError("ERR_CREDENTIAL", `Cannot resolve "\${exec:${program} …}": ${state}`, {
    hint: "Run the command by hand in the folder of the configuration to see why",
  });
}

function withoutLastNewline(text: string): string {
  return text.replace(/\r?\n$/, "");
}
