import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/client";
import { asFields } from "../../model/json/fields.ts";

/** A message of a server, classified once. */
export type ServerMessage =
  /** A request, a notification, or an answer in exactly the form of JSON-RPC. */
  | { readonly kind: "message"; readonly message: JSONRPCMessage }
  /** An answer that cannot be used. `id` is null if it names no request. */
  | { readonly kind: "unusable"; readonly id: RequestId | null; readonly why: string }
  /** An error whose id is missing or of another type, with the server's words. */
  | { readonly kind: "unaddressed"; readonly error: RpcError }
  /** Not an answer: a line of a log, an empty list. */
  | { readonly kind: "noise" };

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

const INTERNAL_ERROR = -32_603;

/**
 * Reads one message of a server. Drops members of an answer that JSON-RPC does not know, a null
 * `result` or `error` (older servers write both), and a `_meta` that is not an object. The client
 * library would drop such answers silently, and their requests would wait until the timeout.
 *
 * @see JSON-RPC 2.0, section 5
 */
export function readMessage(value: unknown): ServerMessage {
  const fields = asFields(value);
  if (fields === null) return { kind: "noise" };
  if (typeof fields.method === "string") {
    return fields.jsonrpc === "2.0"
      ? { kind: "message", message: value as JSONRPCMessage }
      : { kind: "noise" };
  }
  const { result, error } = fields;
  const id = readId(fields.id);
  const unusable = (why: string): ServerMessage => ({ kind: "unusable", id, why });
  const isEmpty = result === undefined && error === undefined;
  if (fields.jsonrpc !== "2.0") {
    // A line of a log may be JSON with an error or an id.
    return isEmpty || id === null ? { kind: "noise" } : unusable('it lacks "jsonrpc": "2.0"');
  }
  if (isEmpty) return unusable("it has neither a result nor an error");
  const hasError = error !== undefined && error !== null;
  if (hasError && result !== undefined && result !== null) {
    return unusable("it has both a result and an error");
  }
  if (hasError) {
    const read = readRpcError(error);
    if (read === null) return unusable("its error has no message");
    if (id === null) return { kind: "unaddressed", error: read };
    return { kind: "message", message: { jsonrpc: "2.0", id, error: { ...read } } };
  }
  const object = asFields(result);
  if (object === null) return unusable("its result is not an object");
  if (id === null) return unusable("it does not name the request that it answers");
  const { _meta, ...rest } = object;
  const meta = asFields(_meta);
  return {
    kind: "message",
    message: { jsonrpc: "2.0", id, result: meta === null ? rest : { ...rest, _meta: meta } },
  };
}

/**
 * Reads an error in any form that has a message; null without one. Some servers write a text
 * instead of the error or its code.
 */
export function readRpcError(error: unknown): RpcError | null {
  if (typeof error === "string") {
    return error.trim() === "" ? null : { code: INTERNAL_ERROR, message: error };
  }
  const fields = asFields(error);
  if (fields === null) return null;
  const { code, message, data } = fields;
  const isCode = typeof code === "number" && Number.isInteger(code);
  const words = [message, data].find((text) => typeof text === "string" && text.trim() !== "");
  if (typeof words !== "string") return null;
  const label = !isCode && (typeof code === "string" && code !== "" || typeof code === "number")
    ? ` (${code})`
    : "";
  return {
    code: isCode ? code : INTERNAL_ERROR,
    message: words + label,
    ...(data === undefined || data === words ? {} : { data }),
  };
}

function readId(id: unknown): RequestId | null {
  if (typeof id === "number" && Number.isInteger(id)) return id;
  return typeof id === "string" && id !== "" ? id : null;
}
