const JSON_TYPES: ReadonlySet<unknown> = new Set([
  ...["string", "number", "integer", "boolean", "object", "array", "null"],
]);
const SCHEMA_WORDS: ReadonlySet<string> = new Set([
  ...["type", "title", "description", "format", "pattern", "$ref", "contentEncoding", "required"],
  ...["minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "in"],
]);

/** Whether an object under the name of a secret describes a field, as JSON Schema does. */
export function isFieldSchema(type: unknown, reference: unknown): boolean {
  return JSON_TYPES.has(type) || typeof reference === "string" && reference.startsWith("#/");
}

/** Whether a name is a schema keyword without data, so not `default`, `examples` or `value`. */
export function isSchemaWord(name: string): boolean {
  return SCHEMA_WORDS.has(name);
}

/** Whether a field only describes a secret: `secrets: [{ name }]`, `secret: { secretName }`. */
export function isLabel(name: string): boolean {
  return /^(?:name|kind|type|namespace|secret_?name|description|scopes?|visibility|(?:created|updated|expires|issued|rotated)(?:_?(?:at|on|in|date))?)$/i
    .test(name);
}
