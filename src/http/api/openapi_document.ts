import { z } from "zod";
import type { Answer } from "./answer.ts";
import type { Route } from "./route.ts";
import { fillPath, splitKey } from "./route_key.ts";

/**
 * The OpenAPI document of the API.
 *
 * @see OpenAPI 3.1.0
 */
export function openapiDocument(version: string, routes: readonly Route[]): object {
  const paths: { [path: string]: { [method: string]: object } } = {};
  for (const route of routes) {
    const { method, path } = splitKey(route.key);
    const operations = paths[fillPath(path, (name) => `{${name}}`)] ??= {};
    operations[method.toLowerCase()] = describe(route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "toolgate", version },
    servers: [{ url: "/api/v1" }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: {
        Problem: {
          type: "object",
          description: "RFC 9457",
          properties: {
            type: { type: "string" },
            title: { type: "string" },
            status: { type: "integer" },
            detail: { type: "string" },
            code: { type: "string" },
            hint: { type: "string" },
          },
          required: ["type", "title", "status", "code"],
        },
      },
    },
  };
}

function describe({ key, summary, scope, query, headers, body, answer }: Route): object {
  const inPath: object[] = [];
  fillPath(key, (name) => {
    inPath.push({ name, in: "path", required: true, schema: { type: "string" } });
    return name;
  });
  return {
    summary,
    description: `Needs scope \`${scope}\``,
    parameters: [...inPath, ...parametersOf("query", query), ...parametersOf("header", headers)],
    ...(body === undefined ? {} : {
      requestBody: {
        required: true,
        content: { "application/json": { schema: inputSchema(body) } },
      },
    }),
    responses: {
      [answer.status]: { description: "Done", content: contentOf(answer) },
      default: {
        description: "Refused or failed",
        content: {
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
        },
      },
    },
  };
}

function parametersOf(place: "query" | "header", schema: z.ZodObject | undefined): object[] {
  const { properties = {}, required = [] } = schema === undefined ? {} : inputSchema(schema);
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    ...(required.includes(name) ? { required: true } : {}),
    schema,
  }));
}

function contentOf({ schema, mediaTypes }: Answer<unknown>): object {
  return Object.fromEntries([
    ...(schema === null ? [] : [["application/json", { schema: answerSchema(schema) }]]),
    ...mediaTypes.map((mediaType) => [mediaType, {}]),
  ]);
}

/** Schema of the input of a client. */
function inputSchema(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
}

/**
 * Schema of an answer. Clients must ignore unknown fields, because an answer may get more fields.
 */
function answerSchema(schema: z.ZodType): z.core.JSONSchema.BaseSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "output",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return rest;
}
