import { isFields } from "../model/json/fields.ts";
import type { Tool } from "../model/tool.ts";
import {
  type HeaderDeclaration,
  headerDeclarations,
  paramHeaders,
} from "../upstream/mcp/param_headers.ts";
import type { McpCaller } from "./caller.ts";
import type { ClassicTools } from "./classic_tools.ts";

/** @see MCP 2026-07-28, error codes */
const HEADER_MISMATCH = -32_020;

/**
 * Compares the `Mcp-Param-*` headers of a call to an upstream tool with its arguments: a proxy that
 * reads a header must see the value that the tool gets.
 *
 * @returns the refusal, or null if the headers match.
 * @see MCP 2026-07-28, "Custom headers from tool parameters"
 */
export async function checkParamHeaders(
  classic: (caller: McpCaller) => Promise<ClassicTools>,
  request: Request,
  caller: McpCaller,
  body: unknown,
): Promise<Response | null> {
  const call = readCall(body);
  if (call === null) return null;
  const tool = (await classic(caller)).byName.get(call.name);
  const declarations = tool === undefined ? [] : declarationsOf(tool);
  const expected = new Headers(paramHeaders(declarations, call.args));
  for (const { name } of declarations) {
    const header = `mcp-param-${name.toLowerCase()}`;
    const problem = problemOf(expected.get(header), request.headers.get(header));
    if (problem !== null) return refusal(call.id, `Header ${header} ${problem}`);
  }
  return null;
}

function problemOf(expected: string | null, actual: string | null): string | null {
  if (expected === null) return actual === null ? null : "has no such argument";
  if (actual === null) return "is missing";
  const text = decode(actual);
  if (text === null) return "is not encoded as it must be";
  return isSame(decode(expected), text) ? null : "differs from the argument";
}

/** Compares a header with an argument; one number may have several spellings. */
function isSame(expected: string | null, actual: string): boolean {
  const isNumber = /^-?\d+(\.\d+)?$/;
  if (expected === null) return false;
  return expected === actual ||
    (isNumber.test(expected) && isNumber.test(actual) && Number(expected) === Number(actual));
}

/** The text of a header's value, which may be `=?base64?…?=`; null if it cannot be decoded. */
function decode(value: string): string | null {
  const [, encoded] = /^=\?base64\?(.*)\?=$/.exec(value) ?? [];
  if (encoded === undefined) return /^[\t\x20-\x7e]*$/.test(value) ? value : null;
  try {
    const bytes = Uint8Array.fromBase64(encoded, { lastChunkHandling: "strict" });
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null; // not base64, or not text
  }
}

interface ReadCall {
  readonly id: unknown;
  readonly name: string;
  readonly args: unknown;
}

function readCall(body: unknown): ReadCall | null {
  if (!isFields(body) || body.method !== "tools/call" || !isFields(body.params)) return null;
  const { name, arguments: args } = body.params;
  return typeof name === "string" ? { id: body.id ?? null, name, args } : null;
}

const known = new WeakMap<Tool, readonly HeaderDeclaration[]>();

function declarationsOf(tool: Tool): readonly HeaderDeclaration[] {
  const found = known.get(tool) ?? headerDeclarations(tool.inputSchema).declarations;
  known.set(tool, found);
  return found;
}

function refusal(id: unknown, message: string): Response {
  return Response.json({ jsonrpc: "2.0", id, error: { code: HEADER_MISMATCH, message } }, {
    status: 400,
  });
}
