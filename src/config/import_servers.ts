import { Document, parse } from "yaml";
import { GateError } from "../model/errors.ts";
import { asFields, type Fields } from "../model/json/fields.ts";
import { convertReferences } from "./foreign_references.ts";
import {
  createVariableNames,
  isLiteralSecret,
  type MovedSecret,
  splitHeader,
  type VariableNames,
} from "./literal_secrets.ts";
import { parseConfig } from "./parse_config.ts";

/** The result of importing a client's configuration file. */
export interface ImportedServers {
  /** A whole `toolgate.yaml`. */
  readonly text: string;
  readonly servers: readonly string[];
  /** Secrets that were written in the file; each is now a reference to a variable. */
  readonly secrets: readonly MovedSecret[];
  /** What was dropped or changed, one sentence each. */
  readonly notes: readonly string[];
}

interface Import {
  readonly variables: VariableNames;
  readonly inputs: ReadonlyMap<string, string>;
  readonly secrets: MovedSecret[];
  readonly notes: Set<string>;
}

interface Server {
  type?: string;
  command?: string;
  args?: string[];
  env?: { [name: string]: string };
  cwd?: string;
  url?: string;
  headers?: { [name: string]: string };
  disabled?: boolean;
}

/** Keys of the server list: Claude, Cursor, Cline; VS Code; its settings; Zed; opencode. */
const PLACES = [["mcpServers"], ["servers"], ["mcp", "servers"], ["context_servers"], ["mcp"]];

const HEAD =
  ` Made by "toolgate import". Without "policies", reads are allowed where a server marks its
 tool as read-only and everything else is denied; see policies/ for examples.`;

/**
 * Turns the server list of an MCP client (Claude Desktop, Claude Code, Cursor, VS Code, or another
 * one in the same format) into a `toolgate.yaml`.
 *
 * @param file name for messages.
 * @throws {GateError} `ERR_CONFIG` if the file holds no servers.
 */
export function importServers(text: string, file: string): ImportedServers {
  const root = parseClientFile(text, file);
  const found = PLACES.map((place) => fieldsAt(root, place)).find((servers) => servers !== null);
  if (found === undefined || found === null) {
    throw new GateError("ERR_CONFIG", `Cannot import "${file}": it has no "mcpServers" map`, {
      hint: 'Name a file with "mcpServers" (Claude, Cursor) or "servers" (VS Code)',
    });
  }
  const context: Import = {
    variables: createVariableNames(),
    inputs: readInputs(root),
    secrets: [],
    notes: new Set(),
  };
  const servers: { [name: string]: Server } = {};
  for (const [name, value] of Object.entries(found)) {
    const server = convertServer(context, name, value);
    if (server !== null && isUsable(context, name, server)) servers[name] = server;
    else dropSecrets(context, name);
  }
  leaveOutBroken(context, servers);
  if (fieldsAt(root, ["projects"]) !== null) {
    context.notes.add("Servers of single projects were not imported; import their own files");
  }
  const output = render(servers);
  // Check now that the new file loads: otherwise a mistake would show only at the next start.
  parseConfig(output, file);
  return {
    text: output,
    servers: Object.keys(servers),
    secrets: context.secrets,
    notes: [...context.notes],
  };
}

function render(servers: { readonly [name: string]: Server }): string {
  const document = new Document({ mcpServers: servers });
  document.commentBefore = HEAD;
  return document.toString({ lineWidth: 100 });
}

/** Removes each server that would not load, so that the others can still be imported. */
function leaveOutBroken(context: Import, servers: { [name: string]: Server }): void {
  for (const [name, server] of Object.entries(servers)) {
    try {
      parseConfig(render({ [name]: server }), name);
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      delete servers[name];
      // Drop the file and line: they belong to a temporary text that the user never sees.
      const reason = error.message.replace(/^Cannot use "[^]*?"(?: \(line \d+\))?: /, "");
      context.notes.add(`"${name}" was left out: ${reason}`);
      dropSecrets(context, name);
    }
  }
}

/** Removes the variables of a server that is not imported. */
function dropSecrets(context: Import, server: string): void {
  const kept = context.secrets.filter((secret) => secret.server !== server);
  context.secrets.splice(0, context.secrets.length, ...kept);
}

/** VS Code allows comments and trailing commas in JSON: without the comments it is YAML. */
function parseClientFile(text: string, file: string): unknown {
  const isJson = /^\s*(\{|\/[/*])/.test(text);
  try {
    // In JSON the last of several equal keys counts.
    return parse(isJson ? withoutComments(text) : text, {
      maxAliasCount: 100,
      uniqueKeys: !isJson,
    });
  } catch (error) {
    throw new GateError("ERR_CONFIG", `Cannot import "${file}": it is neither JSON nor YAML`, {
      hint: "Correct the file, or name another one",
      cause: error,
    });
  }
}

/** Removes the comments from JSON; quoted strings stay as they are. */
function withoutComments(text: string): string {
  return text.replaceAll(
    /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[^]*?\*\//g,
    (part) => part.startsWith('"') ? part : " ",
  );
}

function convertServer(context: Import, name: string, value: unknown): Server | null {
  const fields = asFields(value);
  const urlField = fields && URL_FIELDS.find((field) => isText(fields[field]));
  const command = fields && commandOf(fields);
  if (fields === null || !urlField && command === null) {
    context.notes.add(`"${name}" was left out: it has neither a command nor a URL`);
    return null;
  }
  const take = (field: string, raw: string) => convert(context, name, field, raw);
  const server: Server = {};
  if (command === null) {
    const type = typeOf(fields);
    if (type !== null) server.type = type;
    server.url = take("url", withDefaults(context, name, "url", String(fields[urlField ?? "url"])));
    server.headers = convertPairs(context, name, "headers", asFields(fields["headers"]) ?? {});
    noteSecretUrl(context, name, server.url);
  } else {
    server.command = take(
      "command",
      withDefaults(context, name, "command", command.program),
    );
    server.args = convertArgs(context, name, command.args);
    server.env = convertPairs(context, name, "env", environmentOf(fields));
    if (typeof fields["cwd"] === "string") {
      server.cwd = take("cwd", withDefaults(context, name, "cwd", fields["cwd"]));
    }
  }
  if (fields["disabled"] === true || fields["enabled"] === false) server.disabled = true;
  noteDropped(context, name, fields, command === null);
  return withoutEmpty(server);
}

/** Gemini CLI prefers `httpUrl` where an entry has both. */
const URL_FIELDS = ["httpUrl", "url", "serverUrl"] as const;

function isText(value: unknown): boolean {
  return typeof value === "string" && value.trim() !== "";
}

/** The transport that an entry names; null: toolgate finds out, which works with every server. */
function typeOf(fields: Fields): "http" | "sse" | null {
  const type = [fields["type"], fields["transport"], fields["transportType"]].find(isText);
  const name = String(type ?? "").trim().toLowerCase().replaceAll(/[-_ ]/g, "");
  if (name === "sse") return "sse";
  return ["http", "streamablehttp", "httpstream", "httpstreaming"].includes(name) ? "http" : null;
}

/** Replaces `${NAME:-default}` by its default, in fields where references are not resolved. */
function withDefaults(context: Import, server: string, field: string, text: string): string {
  return text.replaceAll(/\$\{(?:env:)?[A-Za-z_]\w*:-([^{}$]+)\}/g, (reference, value: string) => {
    context.notes.add(
      `${server}.${field}: "${reference}" became its default; toolgate resolves no reference here`,
    );
    return value;
  });
}

/** False if a field that toolgate does not resolve refers to a command or file of this machine. */
function isUsable(context: Import, name: string, server: Server): boolean {
  for (const field of ["command", "cwd", "url"] as const) {
    const text = server[field] ?? "";
    if (/\$\{(exec|file):/.test(text)) {
      context.notes.add(
        `"${name}" was left out: its ${field} has a reference to a command or file of this machine`,
      );
      return false;
    }
    if (text.includes("${env:")) {
      context.notes.add(`${name}.${field}: toolgate resolves no reference here; write the value`);
    }
  }
  return true;
}

function convert(context: Import, server: string, field: string, text: string): string {
  const note = (what: string) => context.notes.add(`${server}.${field}: ${what}`);
  return convertReferences(text, context.inputs, note);
}

/** Program and arguments of an entry: clients write a list, an object (Zed) or one command line. */
function commandOf(fields: Fields): { program: string; args: string[] } | null {
  const { command } = fields;
  const object = asFields(command);
  if (object !== null) return commandOf({ ...object, command: object["path"] });
  const rest = argsOf(fields["args"]);
  const [program = "", ...first] = Array.isArray(command)
    ? command.map(textOf)
    : isText(command)
    ? wordsOf(String(command), rest.length === 0)
    : [];
  return program === "" ? null : { program, args: [...first, ...rest] };
}

function argsOf(args: unknown): string[] {
  if (Array.isArray(args)) return args.map(textOf);
  return isText(args) ? String(args).trim().split(/\s+/) : [];
}

/** Splits `npx -y a-server`, but not a path with spaces or a command with quotes. */
function wordsOf(command: string, isAlone: boolean): string[] {
  const words = command.trim().split(/\s+/);
  const isLine = isAlone && words.length > 1 && !/[\\/"']/.test(words[0] ?? "");
  return isLine ? words : [command];
}

function environmentOf(fields: Fields): Fields {
  return asFields(fields["env"]) ?? asFields(fields["environment"]) ??
    asFields(asFields(fields["command"])?.["env"]) ?? {};
}

/** An argument as text; an object is written as JSON, because its `toString` is not trusted. */
function textOf(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

function convertPairs(
  context: Import,
  server: string,
  field: "env" | "headers",
  pairs: Fields,
): { [name: string]: string } {
  const converted: { [name: string]: string } = {};
  for (const [name, value] of Object.entries(pairs)) {
    if (value === null || value === undefined || typeof value === "object") continue;
    const text = convert(context, server, `${field}.${name}`, String(value));
    const { scheme, secret } = field === "headers"
      ? splitHeader(text)
      : { scheme: "", secret: text };
    if (!isLiteralSecret(name, secret)) {
      converted[name] = text;
      continue;
    }
    const wanted = field === "env"
      ? name
      : `${server}_${name === "Authorization" ? "token" : name}`;
    converted[name] = scheme +
      moveSecret(context, server, `${field}.${name}`, { wanted, value: secret });
  }
  return converted;
}

/** Arguments hold secrets as `--api-key=abc`, as `--api-key abc`, or bare with a known prefix. */
function convertArgs(context: Import, server: string, args: readonly string[]): string[] {
  return args.map((raw, index) => {
    const text = convert(context, server, `args[${index}]`, raw);
    const pair = /^(--?[\w-]+=)(.*)$/s.exec(text);
    const flag = pair?.[1] ?? (args[index - 1]?.startsWith("-") ? args[index - 1] : "") ?? "";
    const value = pair?.[2] ?? text;
    if (value.startsWith("-") || !isLiteralSecret(flag.replace(/=$/, ""), value)) return text;
    const wanted = `${server}_${flag === "" ? "secret" : flag}`;
    const reference = moveSecret(context, server, `args[${index}]`, { wanted, value });
    return `${pair?.[1] ?? ""}${reference}`;
  });
}

/** Moves a secret into a variable, with the wanted name if that is free. */
function moveSecret(
  context: Import,
  server: string,
  place: string,
  { wanted, value }: { readonly wanted: string; readonly value: string },
): string {
  const variable = context.variables.nameFor(server, wanted, value);
  context.secrets.push({ server, place, variable });
  return `\${env:${variable}}`;
}

function readInputs(root: unknown): Map<string, string> {
  const inputs = new Map<string, string>();
  const list = asFields(root)?.["inputs"] ?? fieldsAt(root, ["mcp"])?.["inputs"];
  for (const input of Array.isArray(list) ? list : []) {
    const { id, description } = asFields(input) ?? {};
    if (typeof id === "string") inputs.set(id, typeof description === "string" ? description : "");
  }
  return inputs;
}

const KEPT = new Set([
  ...["type", "transport", "transportType", "command", "args", "env", "environment", "cwd"],
  ...["disabled", "enabled"],
  ...["url", "serverUrl", "httpUrl", "headers"],
]);

function noteDropped(context: Import, name: string, fields: Fields, isHttp: boolean): void {
  const taken = URL_FIELDS.find((field) => isText(fields[field]));
  const otherUrls = URL_FIELDS.filter((field) => field !== taken);
  const other = isHttp
    ? ["args", "env", "environment", "cwd", ...otherUrls]
    : [...URL_FIELDS, "headers"];
  const dropped = Object.keys(fields).filter((key) => !KEPT.has(key) || other.includes(key));
  if (dropped.length === 0) return;
  const remedy = dropped.some((key) => ["timeout", "requestTimeout"].includes(key))
    ? "; set timeoutMs for a timeout"
    : dropped.some((key) => ["autoApprove", "alwaysAllow", "disabledTools"].includes(key))
    ? "; a policy says what is allowed"
    : dropped.includes("envFile")
    ? "; load that file before toolgate starts"
    : "";
  context.notes.add(`${name}: ${dropped.join(", ")} dropped${remedy}`);
}

function noteSecretUrl(context: Import, name: string, url: string): void {
  if (
    /[?&](key|token|api[-_]?key|access[-_]?token|secret)=[^$&]/i.test(url) ||
    /:\/\/[^/]*@/.test(url)
  ) {
    context.notes.add(`${name}.url seems to hold a secret; move it to headers as a reference`);
  }
}

function withoutEmpty(server: Server): Server {
  return Object.fromEntries(
    Object.entries(server).filter(([, value]) =>
      value !== undefined && (typeof value !== "object" || Object.keys(value).length > 0)
    ),
  );
}

function fieldsAt(root: unknown, place: readonly string[]): Fields | null {
  let current = asFields(root);
  for (const key of place) {
    current = current !== null && Object.hasOwn(current, key) ? asFields(current[key]) : null;
  }
  return current;
}
