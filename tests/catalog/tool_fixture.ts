import { toIdentifier } from "../../src/catalog/names.ts";
import type { JsonSchema } from "../../src/model/json/json.ts";
import type { Tool } from "../../src/model/tool.ts";

/** A catalogued tool with the fewest parts. */
export function toolOf(
  server: string,
  name: string,
  more: Partial<Tool> & { readonly properties?: { readonly [name: string]: unknown } } = {},
): Tool {
  const { properties, ...rest } = more;
  const inputSchema: JsonSchema = properties
    ? { type: "object", properties, required: Object.keys(properties) }
    : { type: "object" };
  const serverIdentifier = toIdentifier(server);
  const identifier = toIdentifier(name);
  return {
    id: `${serverIdentifier}.${identifier}`,
    server,
    name,
    serverIdentifier,
    identifier,
    kind: "tool",
    title: "",
    description: `Does ${name}.`,
    inputSchema,
    outputSchema: null,
    hints: {},
    tags: [],
    http: null,
    pin: `${server}/${name}`,
    ...rest,
  };
}
