import type { Config } from "../config/schema.ts";
import type { Principal } from "../model/principal.ts";
import type { CatalogView } from "../supervisor/catalog_view.ts";
import type { McpCaller } from "./caller.ts";
import { type ClassicTools, classicTools } from "./classic_tools.ts";

export interface OfferedToolsDeps {
  readonly spaces: Config["spaces"];
  /** Resolves when there is a catalog. */
  readonly ready: () => Promise<unknown>;
  readonly view: (principal: Principal, space: string) => CatalogView;
}

/** The upstream tools that the caller's space offers directly. */
export async function offeredTools(
  { spaces, ready, view }: OfferedToolsDeps,
  { principal, space }: McpCaller,
): Promise<ClassicTools> {
  const configured = Object.hasOwn(spaces, space) ? spaces[space] : undefined;
  // A space in mode "code" offers none, so its list does not need the catalog.
  if ((configured?.mode ?? "code") !== "code") await ready();
  return classicTools(configured, view(principal, space).tools);
}
