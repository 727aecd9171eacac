/**
 * Results as the server wrote them. On a 2026-07-28 connection the client library checks every
 * detail of a result, and rejects the whole answer for one odd tool, block or cursor. So the result
 * passes that check inside an empty result, and toolgate checks its parts later.
 */
const RAW = "toolgate/raw";

type Result = { readonly [name: string]: unknown };

const CACHED = { ttlMs: 0, cacheScope: "private" };
/** The smallest result that the library accepts for each method. */
const EMPTY: ReadonlyMap<string, Result> = new Map<string, Result>([
  ["tools/list", { ...CACHED, tools: [] }],
  ["resources/list", { ...CACHED, resources: [] }],
  ["resources/templates/list", { ...CACHED, resourceTemplates: [] }],
  ["prompts/list", { ...CACHED, prompts: [] }],
  ["tools/call", { content: [] }],
  ["resources/read", { ...CACHED, contents: [] }],
  ["prompts/get", { messages: [] }],
]);

/** Puts a result inside an empty one; leaves incomplete results and unknown methods unchanged. */
export function wrapResult(method: string, result: Result): Result {
  const empty = EMPTY.get(method);
  const { resultType = "complete" } = result;
  if (empty === undefined || resultType !== "complete") return result;
  return { ...empty, resultType, [RAW]: result };
}

/** Takes the server's result out of the empty one. */
export function unwrapResult(result: Result): Result {
  const raw = result[RAW];
  return typeof raw === "object" && raw !== null ? raw as Result : result;
}
