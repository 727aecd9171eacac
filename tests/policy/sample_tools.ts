import type { JsonSchema } from "../../src/model/json/json.ts";
import type { Principal } from "../../src/model/principal.ts";
import type { Tool } from "../../src/model/tool.ts";

/** A tool as the catalog would hold it. */
export function makeTool(server: string, name: string, more: Partial<Tool> = {}): Tool {
  const serverIdentifier = server.replaceAll(/[^\w$]/g, "_");
  const identifier = name.replaceAll(/[^\w$]/g, "_");
  return {
    id: `${serverIdentifier}.${identifier}`,
    server,
    name,
    serverIdentifier,
    identifier,
    kind: "tool",
    title: name,
    description: "",
    inputSchema: { type: "object", additionalProperties: true },
    outputSchema: null,
    hints: {},
    tags: [],
    http: null,
    pin: "0".repeat(64),
    ...more,
  };
}

export function objectSchema(properties: object, required: readonly string[] = []): JsonSchema {
  return { type: "object", properties, required };
}

export function makePrincipal(more: Partial<Principal> = {}): Principal {
  return {
    sub: "somebody",
    issuer: "test",
    client: "test",
    claims: {},
    scopes: [],
    spaces: null,
    ...more,
  };
}

const text = { type: "string" };

/** The tools that `policies/acme-prod.yaml` is about. */
export const ACME_TOOLS: readonly Tool[] = [
  makeTool("pay", "refund", {
    inputSchema: objectSchema({ amount: { type: "number" }, customer: text }, [
      "amount",
      "customer",
    ]),
  }),
  makeTool("pay", "get_refund", { inputSchema: objectSchema({ id: text }) }),
  makeTool("mail", "send", {
    inputSchema: objectSchema({ to: { type: "array", items: text }, body: text }, ["to"]),
  }),
  makeTool("github", "create_issue", {
    inputSchema: objectSchema({ owner: text, repo: text, title: text }, ["owner", "repo"]),
  }),
  makeTool("github", "update_issue", {
    inputSchema: objectSchema({ owner: text, repo: text, number: { type: "integer" } }, ["owner"]),
  }),
  makeTool("github", "list_issues", { inputSchema: objectSchema({ owner: text, repo: text }) }),
  makeTool("github", "get_repo", { inputSchema: objectSchema({ owner: text, repo: text }) }),
  makeTool("github", "search_code", { inputSchema: objectSchema({ query: text }) }),
  makeTool("github", "delete_repo", { inputSchema: objectSchema({ owner: text, repo: text }) }),
  makeTool("web", "fetch", { inputSchema: objectSchema({ url: text }) }),
];

export function acmeTool(id: string): Tool {
  const tool = ACME_TOOLS.find((each) => each.id === id);
  if (tool === undefined) throw new Error(`There is no sample tool ${id}`);
  return tool;
}
