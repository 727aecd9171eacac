import type { Tool } from "../model/tool.ts";
import { firstSentence } from "./clean_text.ts";
import { isPropertyName } from "./names.ts";
import { commentText, docComment, stringLiteral } from "./types/print_text.ts";
import { printType } from "./types/print_type.ts";
import { isSchemaObject } from "./types/resolve_schema.ts";
import type { TypeBudget } from "./types/type_budget.ts";

export interface DeclareOptions {
  /**
   * `signatures`: one line; `medium` and `short`: the same in half and a third of the space; `full`:
   * every argument with its description.
   */
  readonly detail?: "short" | "medium" | "signatures" | "full";
  /** The first words of the doc comment, such as `write, asks`. */
  readonly note?: string;
  /** Columns before each line. */
  readonly indent?: number;
  /** Takes the place of the tool's identifier. */
  readonly name?: string;
}

/** Bounds of a tool's arguments and of its result. */
interface Budgets {
  readonly input: TypeBudget;
  readonly output: TypeBudget;
}

const SHORT: Budgets = {
  input: {
    depthMax: 2,
    propertiesMax: 10,
    enumMax: 3,
    unionMax: 3,
    charsMax: 250,
    docCharsMax: 0,
  },
  output: { depthMax: 1, propertiesMax: 6, enumMax: 2, unionMax: 2, charsMax: 80, docCharsMax: 0 },
};

const MEDIUM: Budgets = {
  input: {
    depthMax: 3,
    propertiesMax: 10,
    enumMax: 6,
    unionMax: 4,
    charsMax: 300,
    docCharsMax: 0,
  },
  output: { depthMax: 2, propertiesMax: 6, enumMax: 3, unionMax: 3, charsMax: 100, docCharsMax: 0 },
};

const SIGNATURE: Budgets = {
  input: {
    depthMax: 3,
    propertiesMax: 16,
    enumMax: 8,
    unionMax: 6,
    charsMax: 640,
    docCharsMax: 0,
  },
  output: {
    depthMax: 2,
    propertiesMax: 10,
    enumMax: 4,
    unionMax: 4,
    charsMax: 220,
    docCharsMax: 0,
  },
};

const FULL: Budgets = {
  input: {
    depthMax: 6,
    propertiesMax: 60,
    enumMax: 40,
    unionMax: 12,
    charsMax: 9_000,
    docCharsMax: 160,
  },
  output: {
    depthMax: 4,
    propertiesMax: 40,
    enumMax: 12,
    unionMax: 8,
    charsMax: 3_000,
    docCharsMax: 0,
  },
};

/** For the type checker: so deep that types are rarely cut, and on one line. */
const CHECKED: Budgets = {
  input: {
    depthMax: 8,
    propertiesMax: 200,
    enumMax: 300,
    unionMax: 20,
    charsMax: 20_000,
    docCharsMax: 0,
    marksOpen: true,
  },
  output: {
    depthMax: 6,
    propertiesMax: 200,
    enumMax: 40,
    unionMax: 12,
    charsMax: 12_000,
    docCharsMax: 0,
  },
};

const BUDGETS = { short: SHORT, medium: MEDIUM, signatures: SIGNATURE, full: FULL } as const;

/**
 * One tool as a member of `tools.<server>`: a doc comment, then `name(args: {…}): Promise<Result>;`.
 */
export function declareTool(tool: Tool, options: DeclareOptions = {}): string {
  const isFull = options.detail === "full";
  const indent = options.indent ?? 0;
  const pad = " ".repeat(indent);
  const note = options.note ? `(${options.note}) ` : "";
  const text = isFull
    ? [tool.title, tool.description].filter(Boolean).join(". ")
    : firstSentence(tool.description, 160) || tool.title;
  const doc = docComment(note + text, isFull ? 1_200 : 200);
  const budgets = BUDGETS[options.detail ?? "signatures"];
  return (doc === "" ? "" : `${pad}${doc}\n`) +
    `${pad}${member(tool, budgets, indent, options.name)}`;
}

/** One line of a list: `server.tool: what it does`. */
export function declareName(tool: Tool, charsMax = 52): string {
  const text = commentText(firstSentence(tool.description, charsMax) || tool.title, charsMax);
  return text === "" ? tool.id : `${tool.id}: ${text}`;
}

/** What a program can use beside its tools. */
const HELPERS = `  /** Finds tools by words: names, servers and what they do. */
  $search(query: string | { query: string; limit?: number }): Promise<{ name: string; server: string; title: string; description: string; access: "read" | "write" | "destructive"; effect: "allow" | "ask"; score: number; signature?: string }[]>;
  /** The declarations of tools by their names. */
  $describe(name: string | string[]): Promise<string>;`;

/**
 * The typed API of these tools as the text of a `.d.ts`.
 *
 * A program can write a name that its upstream spells differently both ways:
 * `tools.my_server.get_user` and `tools["my-server"]["get-user"]`.
 */
export function declareTools(tools: readonly Tool[]): string {
  const servers = Map.groupBy(tools, (tool) => tool.serverIdentifier);
  const members: string[] = [HELPERS];
  for (const [identifier, ofServer] of servers) {
    members.push(`  ${identifier}: {\n${declareMembers(ofServer)}\n  };`);
    const original = ofServer[0]?.server ?? identifier;
    if (!servers.has(original)) members.push(`  ${keyOf(original)}: typeof tools.${identifier};`);
  }
  return `declare const tools: {\n${members.join("\n")}\n};\n`;
}

function declareMembers(tools: readonly Tool[]): string {
  const taken = new Set(tools.map((tool) => tool.identifier));
  return tools.flatMap((tool) => {
    const doc = docComment(firstSentence(tool.description, 200) || tool.title, 240);
    const lines = [...(doc === "" ? [] : [`    ${doc}`]), `    ${member(tool, CHECKED, 4)}`];
    if (!taken.has(tool.name)) {
      taken.add(tool.name);
      const same = `typeof tools.${tool.serverIdentifier}.${tool.identifier}`;
      lines.push(`    ${keyOf(tool.name)}: ${same};`);
    }
    return lines;
  }).join("\n");
}

function member(
  tool: Tool,
  budgets: Budgets,
  indent: number,
  name = tool.identifier,
): string {
  return `${name}(${printArguments(tool, budgets.input, indent)}): Promise<${
    printResult(tool, budgets.output, indent)
  }>;`;
}

function printArguments(tool: Tool, budget: TypeBudget, indent: number): string {
  const schema = tool.inputSchema;
  if (isSchemaObject(schema) && takesNothing(schema)) return "args?: {}";
  const isOptional = isSchemaObject(schema) &&
    !(Array.isArray(schema.required) && schema.required.length > 0) &&
    schema.$ref === undefined && schema.allOf === undefined && schema.anyOf === undefined &&
    schema.oneOf === undefined;
  const type = printType(schema, { direction: "input", budget, indent });
  return `args${isOptional ? "?" : ""}: ${type}`;
}

function takesNothing(schema: { readonly [keyword: string]: unknown }): boolean {
  const { properties } = schema;
  return (properties === undefined || Object.keys(properties ?? {}).length === 0) &&
    schema.$ref === undefined && schema.allOf === undefined && schema.anyOf === undefined &&
    schema.oneOf === undefined && !isSchemaObject(schema.additionalProperties) &&
    !isSchemaObject(schema.patternProperties) && schema.additionalProperties !== true;
}

function printResult(tool: Tool, budget: TypeBudget, indent: number): string {
  if (tool.outputSchema !== null) {
    return printType(tool.outputSchema, { direction: "output", budget, indent });
  }
  if (tool.observed !== undefined) {
    const type = printType(tool.observed.schema, { direction: "output", budget, indent });
    return `/** observed in ${tool.observed.results} results */ ${type}`;
  }
  return "any";
}

function keyOf(name: string): string {
  return isPropertyName(name) ? name : stringLiteral(name);
}
