type Node = { readonly [key: string]: unknown };

const string = { type: "string" };
const list = { type: "array", items: string, minItems: 1 };
const object = {
  type: "object",
  properties: { a: string, b: { type: "integer" } },
  required: ["a", "b"],
};
const STYLES: readonly (readonly [place: string, style: string, explodes: readonly boolean[]])[] = [
  ["path", "simple", [false, true]],
  // Its tables and RFC 6570 say different things of a label that is not exploded.
  ["path", "label", [true]],
  ["path", "matrix", [false, true]],
  ["query", "form", [false, true]],
  ["query", "spaceDelimited", [false]],
  ["query", "pipeDelimited", [false]],
  ["query", "deepObject", [true]],
  ["header", "simple", [false, true]],
  ["cookie", "form", [false]],
];

/** One operation for each way to write a parameter, and for each kind of body that both sides know. */
export function everyKind(): Node {
  const paths: { [path: string]: Node } = {};
  for (const [place, style, explodes] of STYLES) {
    for (const explode of explodes) {
      for (const [kind, schema] of Object.entries({ string, list, object })) {
        const isOdd = style === "deepObject"
          ? kind !== "object"
          : /Delimited/.test(style)
          ? kind !== "list"
          : place === "cookie" && kind !== "string";
        if (isOdd) continue;
        const id = `${place}_${style}_${explode}_${kind}`;
        const name = place === "header" ? "X-Value" : "value";
        paths[`/${id}${place === "path" ? "/{value}" : ""}`] = {
          get: {
            operationId: id,
            parameters: [{ name, in: place, required: true, style, explode, schema }],
            responses: {},
          },
        };
      }
    }
  }
  const bodies: readonly (readonly [string, Node, Node?])[] = [
    ["application/json", object],
    ["application/vnd.api+json", { type: "object", properties: { data: list } }],
    ["application/x-www-form-urlencoded", { type: "object", properties: { a: string, l: list } }],
    ["multipart/form-data", {
      type: "object",
      properties: { a: string, f: { ...string, format: "binary" } },
    }],
    ["text/plain", string],
    ["application/xml", string],
    ["text/csv", string],
    ["application/octet-stream", { ...string, format: "binary" }],
  ];
  for (const [index, [contentType, schema]] of bodies.entries()) {
    paths[`/body_${index}`] = {
      post: {
        operationId: `body_${index}`,
        requestBody: { required: true, content: { [contentType]: { schema } } },
        responses: {},
      },
    };
  }
  return { openapi: "3.0.3", info: { title: "kinds", version: "1" }, paths };
}

/** The same for Swagger 2: every collection format, in the places where the other side knows them. */
export function everySwaggerKind(): Node {
  const paths: { [path: string]: Node } = {};
  for (const place of ["query", "formData"]) {
    for (const collectionFormat of ["csv", "ssv", "tsv", "pipes", "multi"]) {
      const id = `${place}_${collectionFormat}`;
      paths[`/${id}`] = {
        post: {
          operationId: id,
          consumes: ["application/x-www-form-urlencoded"],
          parameters: [{
            name: "value",
            in: place,
            required: true,
            type: "array",
            items: string,
            collectionFormat,
          }],
          responses: {},
        },
      };
    }
  }
  return { swagger: "2.0", info: { title: "kinds", version: "1" }, host: "h.test", paths };
}
