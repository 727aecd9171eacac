/**
 * Results as the server wrote them. On a 2026-07-28 connection the client library checks every detail of a
 * result, and one tool, block or cursor that it does not like costs the whole answer. So the result travels
 * past that check inside an empty one, and is checked here, part by part.
 */
const RAW = "toolgate/raw";

type Result = { readonly [name: string]: unknown };

const CACHED = { ttlMs: 0, cacheScope: "private" };
/** The least that the library accepts as the result of each method. */
const EMPTY: ReadonlyMap<string, Result> = new Map<string, Result>([
  ["tools/list", { ...CACHED, tools: [] }],
  ["resources/list", { ...CACHED, resources: [] }],
  ["resources/templates/list", { ...CACHED, resourceTemplates: [] }],
  ["prompts/list", { ...CACHED, prompts: [] }],
  ["tools/call", { content: [] }],
  ["resources/read", { ...CACHED, contents: [] }],
  ["prompts/get", { messages: [] }],
]);

/** The result inside an empty one; itself where it is not a complete result of a method that is known. */
export function wrapResult(method: string, result: Result): Result {
  const empty = EMPTY.get(method);
  const { resultType = "complete" } = result;
  if (empty === undefined || resultType !== "complete") return result;
  return { ...empty, resultType, [RAW]: result };
}

/** What the server wrote. */
export function unwrapResult(result: Result): Result {
  const raw = result[RAW];
  return typeof raw === "object" && raw !== null ? raw as Result : result;
}
