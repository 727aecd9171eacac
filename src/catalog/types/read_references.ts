import { isSchemaObject, resolvePointer, type SchemaObject } from "./resolve_schema.ts";

/** Reads the references of one schema. */
export interface ReferenceReader {
  /** The pointer of a schema that has an `$id` of its own, else null. */
  baseOf(schema: SchemaObject): string | null;
  /**
   * @param base pointer of the nearest schema with an `$id`.
   * @returns `#`, or a pointer to a definition of the root; null if it leads nowhere.
   */
  read(reference: string, base: string): string | null;
  /** Targets outside of the definitions; the caller adds them to `$defs`. `read` appends to it. */
  readonly hoisted: Iterable<HoistedTarget>;
}

export interface HoistedTarget {
  readonly name: string;
  readonly schema: unknown;
  readonly base: string;
}

const DEPTH_MAX = 200;
const HOISTED_MAX = 1_000;

/** Reads `#/a`, `#anchor` and the `$id`s of embedded schemas; it never fetches a document. */
export function createReferenceReader(root: SchemaObject): ReferenceReader {
  const bases = new Map<SchemaObject, string>();
  const anchors = new Map<string, string>();
  const ids = new Map<string, string>();
  const hoisted: HoistedTarget[] = [];
  const names = new Map<string, string>();
  const text = JSON.stringify(root);
  // Most schemas have no such names.
  if (/"\$?(id|anchor|dynamicAnchor)":"/.test(text)) {
    findNames(root, "#", 0, { bases, anchors, ids });
  }

  function pointerOf(reference: string, base: string): string | null {
    const [uri = "", fragment = ""] = reference.split("#", 2);
    const start = uri === "" ? base : ids.get(uri) ?? ids.get(lastPart(uri)) ?? null;
    if (start === null) return null;
    if (fragment === "") return start;
    if (!fragment.startsWith("/")) return anchors.get(fragment) ?? null;
    const inner = `${start}${fragment}`;
    // Authors of embedded schemas often mean a reference from the root.
    return isTarget(root, inner) ? inner : isTarget(root, `#${fragment}`) ? `#${fragment}` : null;
  }

  return {
    baseOf: (schema) => bases.get(schema) ?? null,
    hoisted: {
      *[Symbol.iterator]() {
        // The list grows while the caller walks it.
        for (let index = 0; index < hoisted.length; index++) yield hoisted[index]!;
      },
    },
    read(reference, base) {
      const pointer = pointerOf(reference, base);
      if (pointer === null || !isTarget(root, pointer)) return null;
      if (pointer === "#") return "#";
      if (/^#\/(\$defs|definitions)\/[\w.-]+$/.test(pointer)) return pointer;
      const known = names.get(pointer);
      if (known !== undefined) return `#/$defs/${known}`;
      if (hoisted.length >= HOISTED_MAX) return null;
      const last = decodeURIComponentSafely(pointer.split("/").at(-1) ?? "");
      const stem = last.replaceAll(/[^\w]+/g, "_").slice(0, 60) || "schema";
      const taken = new Set(names.values());
      const defs = isSchemaObject(root.$defs) ? root.$defs : {};
      let name = stem;
      for (let count = 2; taken.has(name) || Object.hasOwn(defs, name); count++) {
        name = `${stem}_${count}`;
      }
      names.set(pointer, name);
      hoisted.push({ name, schema: resolvePointer(root, pointer), base: "#" });
      return `#/$defs/${name}`;
    },
  };
}

function isTarget(root: SchemaObject, pointer: string): boolean {
  const target = resolvePointer(root, pointer);
  return typeof target === "boolean" || isSchemaObject(target);
}

interface Names {
  readonly bases: Map<SchemaObject, string>;
  readonly anchors: Map<string, string>;
  readonly ids: Map<string, string>;
}

/** Collects `$id`, `id` and `$anchor` where they are keywords. */
function findNames(value: unknown, pointer: string, depth: number, names: Names): void {
  if (depth > DEPTH_MAX || typeof value !== "object" || value === null) return;
  // In a map of schemas, these are names of properties.
  const isMap = /\/(properties|\$defs|definitions|patternProperties|dependentSchemas)$/.test(
    pointer,
  );
  if (isSchemaObject(value) && !isMap) {
    for (const anchor of [value.$anchor, value.$dynamicAnchor]) {
      if (typeof anchor === "string") setOnce(names.anchors, anchor, pointer);
    }
    for (const id of [value.$id, value.id]) {
      if (typeof id !== "string" || id === "") continue;
      if (id.startsWith("#")) setOnce(names.anchors, id.slice(1), pointer);
      else {
        const uri = id.split("#")[0] ?? "";
        setOnce(names.ids, uri, pointer);
        setOnce(names.ids, lastPart(uri), pointer);
        if (pointer !== "#") names.bases.set(value, pointer);
      }
    }
  }
  for (const [key, inner] of Object.entries(value)) {
    const escaped = key.replaceAll("~", "~0").replaceAll("/", "~1");
    const step = encodeURIComponent(escaped).replaceAll("%24", "$");
    findNames(inner, `${pointer}/${step}`, depth + 1, names);
  }
}

function setOnce(map: Map<string, string>, key: string, value: string): void {
  if (!map.has(key)) map.set(key, value);
}

/** A relative reference ends like the absolute name of its target. */
function lastPart(uri: string): string {
  return uri.split("/").at(-1) ?? "";
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
