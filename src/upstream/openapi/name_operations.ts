import { type FoundOperation, textOf } from "./document.ts";

const NAME_CHARS_MAX = 120;

/**
 * Names operations: by their `operationId` if it is unique, else by method and path.
 *
 * A name depends on its own operation, not on its place in the document. Two names never differ
 * only in characters that an identifier cannot have.
 */
export function nameOperations(
  found: readonly Pick<FoundOperation, "path" | "method" | "operation">[],
): string[] {
  const byId = found.map(({ operation }) => cleanId(textOf(operation.operationId)));
  const byPlace = found.map(({ method, path }) => placeName(method, path));
  const idCounts = countSpellings(byId);
  const chosen = found.map((_, index) => {
    const id = byId[index] ?? "";
    return id !== "" && idCounts.get(spelling(id)) === 1 ? id : byPlace[index] ?? "";
  });
  const counts = countSpellings(chosen);
  return chosen.map((name, index) => {
    const each = found[index];
    if (counts.get(spelling(name)) === 1 || each === undefined) return name;
    return `${name}_${shortHash(`${each.method} ${each.path}`)}`;
  });
}

function cleanId(id: string): string {
  const trimmed = id.trim();
  return trimmed.length > NAME_CHARS_MAX ? "" : trimmed.replace(/\s+/g, "_");
}

/** `GET /users/{id}/posts` becomes `get_users_id_posts`. */
function placeName(method: string, path: string): string {
  const words = path.normalize().split(/[^\p{L}\p{N}\p{M}]+/u).filter((word) => word !== "");
  const name = [method, ...words].join("_");
  return name.length > NAME_CHARS_MAX
    ? `${name.slice(0, NAME_CHARS_MAX - 9).toWellFormed()}_${shortHash(`${method} ${path}`)}`
    : name;
}

/** The name as an identifier spells it. */
function spelling(name: string): string {
  return name.replace(/[^\p{L}\p{N}\p{M}$]/gu, "_");
}

function countSpellings(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) {
    if (name !== "") counts.set(spelling(name), (counts.get(spelling(name)) ?? 0) + 1);
  }
  return counts;
}

/** FNV-1a, eight hexadecimal digits: tells names apart, not safe for secrets. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
