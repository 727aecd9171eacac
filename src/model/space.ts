/** The space of `POST /mcp`: every tool, unless the policy has spaces. */
export const DEFAULT_SPACE = "default";
