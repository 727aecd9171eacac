import { isSchemaObject, resolvePointer } from "./resolve_schema.ts";

const DEPTH_MAX = 400;
const IN_PLACE_LISTS = ["allOf", "anyOf"];
const IN_PLACE = ["not", "if", "then", "else"];

/**
 * Removes references that lead back to themselves without a step into the value: a validator that
 * follows them never ends. They constrain nothing.
 *
 * @param root a schema of our own making; it is changed.
 */
export function breakReferenceCycles(
  root: { [keyword: string]: unknown },
  note: (place: string, text: string) => void,
): void {
  const done = new Set<object>();
  const open = new Set<object>();

  /** Follows the schemas that apply to the same value. */
  const follow = (schema: unknown, depth: number): void => {
    if (!isSchemaObject(schema) || done.has(schema) || depth > DEPTH_MAX) return;
    open.add(schema);
    const owner = schema as { [keyword: string]: unknown };
    if (typeof owner.$ref === "string") {
      const target = resolvePointer(root, owner.$ref);
      if (isSchemaObject(target) && open.has(target)) {
        note("", `the reference "${owner.$ref}" leads back to itself, it constrains nothing`);
        delete owner.$ref;
      } else follow(target, depth + 1);
    }
    for (const keyword of IN_PLACE_LISTS) {
      const list = owner[keyword];
      if (Array.isArray(list)) { for (const each of list) follow(each, depth + 1); }
    }
    for (const keyword of IN_PLACE) follow(owner[keyword], depth + 1);
    if (isSchemaObject(owner.dependentSchemas)) {
      for (const each of Object.values(owner.dependentSchemas)) follow(each, depth + 1);
    }
    open.delete(schema);
    done.add(schema);
  };
  const visit = (value: unknown, depth: number): void => {
    if (typeof value !== "object" || value === null || depth > DEPTH_MAX) return;
    if (isSchemaObject(value)) follow(value, 0);
    for (const inner of Object.values(value)) visit(inner, depth + 1);
  };
  visit(root, 0);
}
