import type { JsonSchema } from "../../model/json/json.ts";
import { isPropertyName } from "../names.ts";
import { commentText, docComment, stringLiteral } from "./print_text.ts";
import { atom, isUnknown, parenthesize, type Printed, union } from "./printed_type.ts";
import {
  follow,
  hasStructure,
  isSchemaObject,
  mergeAlternatives,
  mergeSchemas,
  type SchemaObject,
  withoutKeys,
} from "./resolve_schema.ts";
import { OPEN_MARK, type TypeBudget } from "./type_budget.ts";

/**
 * Prints a JSON Schema as a compact TypeScript type, within budgets.
 *
 * The printed type stays true when parts are left out: arguments and result fields that the schema
 * allows are never errors against it. For that reason, a shortened type ends in an index signature,
 * and an unknown result is `any` where an unknown argument is `unknown`.
 */

export interface PrintTypeOptions {
  readonly direction: "input" | "output";
  readonly budget: TypeBudget;
  /** Columns before the type, for the lines of a type with doc comments. */
  readonly indent?: number;
}

interface Printing {
  readonly root: JsonSchema;
  readonly direction: "input" | "output";
  readonly budget: TypeBudget;
  /** Schemas visited so far: bounds the work, however far references fan out. */
  nodes: number;
  /**
   * Characters that are certain to be in the type. The shares of alternatives add up to more than
   * the budget, so that a small one leaves room to others; `writtenMax` bounds all of them
   * together.
   */
  written: number;
  readonly writtenMax: number;
}

/** Where the printer is in the schema. */
interface Place {
  readonly depth: number;
  readonly path: readonly string[];
  readonly indent: number;
  /** Characters left for this type. */
  readonly chars: number;
}

const NODES_MAX = 4_000;
/** Times `charsMax`. Types of real documents stay far below. */
const WRITTEN_FACTOR = 3;
/** Characters of the shortest type with its punctuation. */
const ATOM_CHARS = 8;
const NAME_CHARS_MAX = 256;
const NESTING_MAX = 64;
const LITERAL_CHARS_MAX = 120;
const TUPLE_MAX = 8;

export function printType(schema: JsonSchema, options: PrintTypeOptions): string {
  const { direction, budget } = options;
  const writtenMax = budget.charsMax * WRITTEN_FACTOR;
  const printing: Printing = { root: schema, direction, budget, nodes: 0, written: 0, writtenMax };
  const indent = options.indent ?? 0;
  return print(printing, schema, { depth: 0, path: [], indent, chars: budget.charsMax }).text;
}

function print(printing: Printing, schema: unknown, place: Place, nesting = 0): Printed {
  if (schema === false) return atom("never");
  if (!isSchemaObject(schema)) return unknownType(printing);
  if (printing.nodes++ > NODES_MAX || nesting > NESTING_MAX || place.chars <= 0) {
    return unknownType(printing);
  }
  if (printing.written > printing.writtenMax) return unknownType(printing);
  if (typeof schema.$ref === "string") {
    const resolved = follow(printing.root, schema, place.path);
    if (resolved.recursive) return unknownType(printing, "recursive");
    const inner = { ...place, path: resolved.path };
    return print(printing, resolved.schema ?? true, inner, nesting + 1);
  }
  const printed = printForm(printing, schema, place, nesting);
  return schema.nullable === true ? union([printed, atom("null")]) : printed;
}

function printForm(
  printing: Printing,
  schema: SchemaObject,
  place: Place,
  nesting: number,
): Printed {
  if (schema.const !== undefined) return write(printing, atom(literal(printing, schema.const)));
  if (Array.isArray(schema.enum)) return write(printing, printEnum(printing, schema.enum));
  if (Array.isArray(schema.allOf)) return printAll(printing, schema, place, nesting);
  if (branchesOf(schema).length > 0) return printAny(printing, schema, place, nesting);
  if (Array.isArray(schema.type) && schema.type.length > 0) {
    const types = schema.type.slice(0, 8);
    return union(
      types.map((type) => print(printing, { ...schema, type }, place, nesting + 1)),
    );
  }
  printing.written += ATOM_CHARS;
  switch (schema.type ?? guessType(schema)) {
    case "string":
      return printString(printing, schema);
    case "number":
    case "integer":
      return atom("number");
    case "boolean":
      return atom("boolean");
    case "null":
      return atom("null");
    case "array":
      return printArray(printing, schema, place, nesting);
    case "object":
      return printObject(printing, schema, place, nesting);
    default:
      return unknownType(printing);
  }
}

function write(printing: Printing, printed: Printed): Printed {
  printing.written += printed.text.length;
  return printed;
}

function guessType(schema: SchemaObject): string | undefined {
  if (schema.properties ?? schema.additionalProperties ?? schema.patternProperties) return "object";
  if (schema.items ?? schema.prefixItems) return "array";
  return undefined;
}

const BYTES = atom("Uint8Array");
const SHORT_FORMATS = new Set(["date", "date-time", "time", "duration", "email", "byte"]);

function printString({ direction }: Printing, { format }: SchemaObject): Printed {
  if (direction === "input" && format === "binary") return union([atom("string"), BYTES]);
  return atom(SHORT_FORMATS.has(String(format)) ? `string /* ${format} */` : "string");
}

function printEnum(printing: Printing, values: readonly unknown[]): Printed {
  const { enumMax } = printing.budget;
  if (values.length === 0) return atom("never");
  const isLong = (value: unknown) => typeof value === "string" && value.length > LITERAL_CHARS_MAX;
  const shown = values.filter((value) => !isLong(value)).slice(0, enumMax);
  const parts = [...new Set(shown.map((value) => literal(printing, value)))].map(atom);
  if (shown.length === values.length) return union(parts);
  const rest = values.every((value) => typeof value === "string")
    ? "string"
    : values.every((value) => typeof value === "number")
    ? "number"
    : unknownType(printing).text;
  return union([...parts, atom(`${rest} /* ${values.length} values */`)]);
}

function literal(printing: Printing, value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > LITERAL_CHARS_MAX ? "string" : stringLiteral(value);
    case "number":
      // JSON.parse makes Infinity of 1e400.
      return Number.isFinite(value) ? String(value) : "number";
    case "boolean":
      return String(value);
    default:
      return value === null ? "null" : unknownType(printing).text;
  }
}

function printAll(
  printing: Printing,
  schema: SchemaObject,
  place: Place,
  nesting: number,
): Printed {
  const rest = withoutKeys(schema, ["allOf", "nullable"]);
  const parts = [...schema.allOf as unknown[], ...(hasStructure(rest) ? [rest] : [])]
    .filter((part) => isSchemaObject(part) ? hasStructure(part) || "$ref" in part : part === false);
  const [only] = parts;
  if (parts.length === 0) return unknownType(printing);
  if (parts.length === 1) return print(printing, only, place, nesting + 1);
  const merged = mergeSchemas(printing.root, parts, place.path);
  if (merged !== null) {
    return print(printing, merged.schema, { ...place, path: merged.path }, nesting + 1);
  }
  const printed = parts.slice(0, printing.budget.unionMax)
    .map((part) => print(printing, part, share(place, parts.length), nesting + 1))
    .filter(({ text }) => !isUnknown(text));
  const texts = [...new Set(printed.map(parenthesize))];
  if (texts.length === 0) return unknownType(printing);
  return { text: texts.join(" & "), isUnion: texts.length > 1 };
}

function branchesOf(schema: SchemaObject): readonly unknown[] {
  const branches = schema.anyOf ?? schema.oneOf;
  return Array.isArray(branches) ? branches : [];
}

function printAny(
  printing: Printing,
  schema: SchemaObject,
  place: Place,
  nesting: number,
): Printed {
  const branches = branchesOf(schema);
  const base = withoutKeys(schema, ["anyOf", "oneOf", "nullable"]);
  const isBare = (branch: unknown) =>
    isSchemaObject(branch) && !hasStructure(withoutKeys(branch, ["required", "type"])) &&
    !("$ref" in branch) && (branch.type ?? base.type) === base.type;
  // These alternatives only say which properties go together.
  if (hasStructure(base) && branches.every(isBare)) {
    return print(printing, base, place, nesting + 1);
  }
  const joined = hasStructure(base) ? branches.map((branch) => joinBranch(base, branch)) : branches;
  const { unionMax } = printing.budget;
  const inner = share(place, Math.min(branches.length, 3));
  const { written } = printing;
  const shown = joined.slice(0, unionMax)
    .map((branch) => print(printing, branch, inner, nesting + 1));
  const length = shown.reduce((sum, { text }) => sum + text.length, 0);
  if (branches.length > unionMax || (branches.length > 2 && length > place.chars * 0.6)) {
    const merged = mergeAlternatives(printing.root, joined, place.path);
    if (merged !== null) {
      printing.written = written;
      return print(printing, merged.schema, { ...place, path: merged.path }, nesting + 1);
    }
  }
  if (branches.length > unionMax) {
    shown.push(unknownType(printing, `+${branches.length - unionMax}`));
  }
  return union(shown);
}

function joinBranch(base: SchemaObject, branch: unknown): unknown {
  if (!isSchemaObject(branch)) return branch;
  // `{type: "string", anyOf: [{format: "date"}, {enum: […]}]}`: the branch refines the type alone.
  const isTypeOnly = !hasStructure(withoutKeys(base, ["type"]));
  if (isTypeOnly) return "$ref" in branch ? branch : { type: base.type, ...branch };
  return hasStructure(branch) || "$ref" in branch
    ? { allOf: [base, branch] }
    : { ...base, ...branch };
}

function printArray(
  printing: Printing,
  schema: SchemaObject,
  place: Place,
  nesting: number,
): Printed {
  const prefix = schema.prefixItems ?? (Array.isArray(schema.items) ? schema.items : undefined);
  if (Array.isArray(prefix) && prefix.length > 0 && prefix.length <= TUPLE_MAX) {
    const needed = typeof schema.minItems === "number" ? schema.minItems : prefix.length;
    const inner = share(place, prefix.length);
    const items = prefix.map((item, index) => {
      const printed = print(printing, item, inner, nesting + 1);
      return index < needed ? printed.text : `${parenthesize(printed)}?`;
    });
    const more = Array.isArray(schema.items) ? schema.additionalItems : schema.items;
    if (isSchemaObject(more)) {
      items.push(`...${parenthesize(print(printing, more, inner, nesting + 1))}[]`);
    }
    return atom(`[${items.join(", ")}]`);
  }
  const items = Array.isArray(prefix) ? true : schema.items ?? true;
  return atom(`${parenthesize(print(printing, items, place, nesting + 1))}[]`);
}

function printObject(
  printing: Printing,
  schema: SchemaObject,
  place: Place,
  nesting: number,
): Printed {
  const all = isSchemaObject(schema.properties) ? Object.entries(schema.properties) : [];
  if (all.length === 0) return printRecord(printing, schema, place, nesting);
  if (place.depth >= printing.budget.depthMax) {
    return printing.direction === "input" ? atom("object") : atom("any /* object */");
  }
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const properties = all.filter(([name]) => name.length <= NAME_CHARS_MAX);
  const ordered = [
    ...properties.filter(([name]) => required.has(name)),
    ...properties.filter(([name]) => !required.has(name)),
  ];
  const members: string[] = [];
  let left = place.chars;
  let shown = 0;
  for (const [name, property] of ordered) {
    if (shown >= printing.budget.propertiesMax || (left <= 0 && shown > 0)) break;
    // Twice an even share: names at the end still fit if one type in the middle is large.
    const chars = Math.ceil((left / (ordered.length - shown)) * 2);
    const inner = {
      ...place,
      depth: place.depth + 1,
      indent: place.indent + 2,
      chars: Math.min(left, chars),
    };
    const type = print(printing, property, inner, nesting + 1).text;
    const key = isPropertyName(name) ? name : stringLiteral(name);
    const member = `${key}${required.has(name) ? "" : "?"}: ${type}`;
    members.push(propertyDoc(printing, property) + member);
    left -= member.length + 2;
    printing.written += key.length;
    shown++;
  }
  const elided = [
    ...ordered.slice(shown),
    ...all.filter(([name]) => name.length > NAME_CHARS_MAX),
  ].map(([name]) => name);
  const index = indexSignature(printing, schema, elided, place.depth);
  if (index !== null) members.push(index);
  const isOpen = schema.additionalProperties === undefined &&
    schema.unevaluatedProperties === undefined;
  if (printing.budget.marksOpen && isOpen && members.length > 0) {
    members[0] = `${OPEN_MARK} ${members[0]}`;
  }
  return atom(braces(printing, members, place.indent));
}

function indexSignature(
  printing: Printing,
  schema: SchemaObject,
  elided: readonly string[],
  depth: number,
): string | null {
  const isOpen = schema.additionalProperties === true ||
    isSchemaObject(schema.additionalProperties) || isSchemaObject(schema.patternProperties);
  if (!isOpen && elided.length === 0) return null;
  // Deeper in the type, the number of the left out names is enough.
  const namesMax = depth > 0 ? 2 : Math.min(20, Math.ceil(printing.budget.propertiesMax / 2));
  const names = elided.slice(0, namesMax).join(", ");
  const more = elided.length > namesMax ? ", …" : "";
  const note = elided.length === 0
    ? ""
    : ` /* +${elided.length}: ${commentText(names, 400)}${more} */`;
  return `[key: string]: ${unknownType(printing).text}${note}`;
}

function printRecord(
  printing: Printing,
  schema: SchemaObject,
  place: Place,
  nesting: number,
): Printed {
  const { additionalProperties: additional, patternProperties: patterns } = schema;
  if (isSchemaObject(additional) && Object.keys(additional).length > 0) {
    const inner = { ...place, depth: place.depth + 1 };
    const value = print(printing, additional, inner, nesting + 1).text;
    return atom(`Record<string, ${value}>`);
  }
  if (isSchemaObject(patterns) && Object.keys(patterns).length > 0) {
    const values = Object.values(patterns).slice(0, printing.budget.unionMax)
      .map((pattern) => print(printing, pattern, share(place, 2), nesting + 1));
    return atom(`Record<string, ${union(values).text}>`);
  }
  if (additional === false) return atom("Record<string, never>");
  return atom(`Record<string, ${unknownType(printing).text}>`);
}

function propertyDoc(printing: Printing, property: unknown): string {
  const { docCharsMax } = printing.budget;
  if (docCharsMax === 0 || !isSchemaObject(property)) return "";
  const notes: string[] = [];
  if (property.default !== undefined) {
    notes.push(`default ${JSON.stringify(property.default).slice(0, 60)}`);
  }
  if (typeof property.minimum === "number") notes.push(`min ${property.minimum}`);
  if (typeof property.maximum === "number") notes.push(`max ${property.maximum}`);
  if (typeof property.pattern === "string") notes.push(`pattern ${property.pattern.slice(0, 60)}`);
  if (property.deprecated === true) notes.push("deprecated");
  const description = typeof property.description === "string" ? property.description : "";
  const text = commentText(description, docCharsMax);
  const doc = docComment(
    [text, notes.length > 0 ? `(${notes.join(", ")})` : ""].filter(Boolean).join(" "),
    docCharsMax + 160,
  );
  return doc === "" ? "" : `${doc} `;
}

function braces(printing: Printing, members: readonly string[], indent: number): string {
  if (printing.budget.docCharsMax === 0) return `{ ${members.join("; ")} }`;
  const pad = " ".repeat(indent);
  return `{\n${members.map((member) => `${pad}  ${member};\n`).join("")}${pad}}`;
}

function unknownType(printing: Printing, note?: string): Printed {
  const name = printing.direction === "input" ? "unknown" : "any";
  return atom(note === undefined ? name : `${name} /* ${note} */`);
}

function share(place: Place, parts: number): Place {
  return { ...place, chars: Math.ceil((place.chars / Math.max(1, parts)) * 1.5) };
}
