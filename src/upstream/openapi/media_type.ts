import type { BodyKind } from "./operation.ts";

/** `text/csv` of `Text/CSV; charset=utf-8`. */
export function essenceOf(contentType: string): string {
  return contentType.split(";")[0]?.trim().toLowerCase() ?? "";
}

/** The charset of a content type, lower case; null if it names none. */
export function charsetOf(contentType: string): string | null {
  return /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? null;
}

/** One JSON value: `application/json`, `…+json`, and vendors' spellings of them. */
export function isJson(essence: string): boolean {
  return !isJsonLines(essence) && /[/+.-]json(?=$|[.+-])/.test(essence);
}

/** Several JSON values: one per line, or each after a record separator (RFC 7464). */
export function isJsonLines(essence: string): boolean {
  return /[/+.-](nd-?json|jsonl|json-?lines|json-seq|jsonlines)$/.test(essence) ||
    essence === "application/stream+json" || essence === "application/x-json-stream";
}

export function isXml(essence: string): boolean {
  return /[/+]xml$/.test(essence);
}

/** Types that are never text: a text given for one can only be base64. */
export function isNeverText(essence: string): boolean {
  return /^(image|audio|video|font)\//.test(essence) && !isXml(essence) ||
    /^application\/(pdf|zip|gzip|x-gzip|x-tar|x-7z-compressed|vnd\.openxmlformats-.+)$/.test(
      essence,
    );
}

/** How a body of this type is written. */
export function kindOf(contentType: string): BodyKind {
  const essence = essenceOf(contentType);
  if (essence === "*/*" || essence === "application/*") return "any";
  if (isJson(essence)) return "json";
  if (isJsonLines(essence)) return "lines";
  if (essence === "application/x-www-form-urlencoded") return "form";
  if (essence.startsWith("multipart/")) return "multipart";
  if (isXml(essence)) return "xml";
  if (essence === "text/csv" || essence === "text/tab-separated-values") return "csv";
  const isText = essence.startsWith("text/") ||
    /[/+](yaml|x-yaml|javascript|graphql)$/.test(essence);
  return isText ? "text" : "binary";
}

/**
 * Chooses JSON if it is offered, then forms, then types sent unchanged. Among JSON types
 * `application/json` comes first and a list of patch operations last, because callers expect an
 * object.
 */
export function chooseContentType(offered: readonly string[]): string | null {
  const plain = offered.find((contentType) => essenceOf(contentType) === "application/json");
  if (plain !== undefined) return plain;
  const isPatchList = (contentType: string) =>
    essenceOf(contentType) === "application/json-patch+json";
  const sorted = [
    ...offered.filter((contentType) => !isPatchList(contentType)),
    ...offered.filter(isPatchList),
  ];
  const order: readonly BodyKind[] = [
    ...["json", "any", "form", "multipart", "lines", "xml", "csv", "text", "binary"] as const,
  ];
  for (const kind of order) {
    const found = sorted.find((contentType) => kindOf(contentType) === kind);
    if (found !== undefined) return found;
  }
  return null;
}
