import type { JSONRPCMessage, RequestId } from "@modelcontextprotocol/client";
import { wrapResult } from "./raw_result.ts";
import { readMessage, type RpcError } from "./read_message.ts";

/** JSON-RPC error code for an answer that cannot be used. */
export const MALFORMED_ANSWER = -31_003;

export interface MessageIntakeOptions {
  /** Hands a message to the client library. */
  readonly deliver: (message: JSONRPCMessage) => void;
  /** Called for each message that could not be passed on. */
  readonly problem: (why: string) => void;
}

interface WaitingRequest {
  /** How many requests had been sent before it. */
  readonly sentBefore: number;
  readonly method: string;
}

const FIRST_MODERN_REVISION = "2026-07-28";
/** Answers without a usable id, kept until their request is known. */
const STRAYS_MAX = 100;
const TEXT_IDS_MAX = 100;
/** Its answer is a stream of notifications that ends with the connection. */
const NEVER_ANSWERED = "subscriptions/listen";

/**
 * Takes the messages of a server on one connection. A request fails as soon as its answer has come
 * but cannot be used.
 *
 * An answer with an unknown id ("stray") belongs to some request that was sent before the answer
 * came. Once there are as many strays as such requests, those requests fail.
 */
export class MessageIntake {
  readonly #options: MessageIntakeOptions;
  readonly #waiting = new Map<RequestId, WaitingRequest>();
  readonly #textIds = new Set<string>();
  #sentCount = 0;
  #isModern = false;
  #highestId = -1;
  #strays: { readonly sentBefore: number; readonly error: RpcError }[] = [];

  constructor(options: MessageIntakeOptions) {
    this.#options = options;
  }

  /** Sets the negotiated protocol revision. */
  setProtocolVersion(version: string): void {
    this.#isModern = version >= FIRST_MODERN_REVISION;
  }

  /** Notes a message to the server. Call it before sending the message. */
  sending(message: JSONRPCMessage): void {
    if (!("method" in message)) return;
    if ("id" in message) {
      if (message.method === NEVER_ANSWERED) return;
      this.#waiting.set(message.id, { sentBefore: this.#sentCount++, method: message.method });
      if (typeof message.id === "number") this.#highestId = Math.max(this.#highestId, message.id);
      else if (this.#textIds.size < TEXT_IDS_MAX) this.#textIds.add(message.id);
      return;
    }
    const cancelled: unknown = message.method === "notifications/cancelled"
      ? message.params?.requestId
      : undefined;
    if (typeof cancelled === "number" || typeof cancelled === "string") this.forget(cancelled);
  }

  /** Drops a request whose caller no longer waits. */
  forget(id: RequestId): void {
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#strays = [];
  }

  /** Takes one parsed message; a list holds several. */
  receive(value: unknown): void {
    if (!Array.isArray(value)) return this.#take(value);
    for (const each of value) this.#take(each);
  }

  /** Takes an unreadable answer; `id` is null if the id is unreadable too. */
  refuse(id: RequestId | null, code: number, message: string): void {
    this.#options.problem(message);
    const waiting = id === null ? null : this.#waitingId(id);
    if (waiting !== null) this.#fail(waiting, { code, message });
    else if (id === null || !this.#wasSent(id)) this.#stray({ code, message });
  }

  #take(value: unknown): void {
    const read = readMessage(value);
    switch (read.kind) {
      case "noise":
        return this.#options.problem("It is not a JSON-RPC message");
      case "unusable":
        return this.refuse(read.id, MALFORMED_ANSWER, read.why);
      case "unaddressed":
        this.#options.problem("An error without the id of its request");
        return this.#stray(read.error);
      case "message":
        if ("method" in read.message) return this.#options.deliver(read.message);
        return this.#answer(read.message);
    }
  }

  #answer(message: JSONRPCMessage): void {
    const id = "id" in message ? message.id : undefined;
    if (id === undefined) return;
    const waiting = this.#waitingId(id);
    if (waiting !== null) {
      const method = this.#waiting.get(waiting)?.method ?? "";
      this.#waiting.delete(waiting);
      this.#options.deliver(this.#acceptable(method, message));
      return this.#settle();
    }
    // A known id belongs to a late answer, which is dropped. An unknown id may belong to a waiting
    // request.
    if (this.#wasSent(id)) return this.#options.problem("An answer that nobody waits for");
    const why = "its id is not that of the request";
    this.#options.problem(why);
    this.#stray("error" in message ? message.error : { code: MALFORMED_ANSWER, message: why });
  }

  /** Wraps or cleans a result, so that the client library does not reject its details. */
  #acceptable(method: string, message: JSONRPCMessage): JSONRPCMessage {
    if (!("result" in message)) return message;
    if (method === "initialize") return withoutNulls(message);
    return this.#isModern ? { ...message, result: wrapResult(method, message.result) } : message;
  }

  /** The waiting request with this id; some servers write the number as a text. */
  #waitingId(id: RequestId): RequestId | null {
    if (this.#waiting.has(id)) return id;
    const asNumber = Number(id);
    return typeof id === "string" && this.#waiting.has(asNumber) ? asNumber : null;
  }

  #wasSent(id: RequestId): boolean {
    return typeof id === "number" ? id <= this.#highestId : this.#textIds.has(id);
  }

  #stray(error: RpcError): void {
    if (this.#strays.length === STRAYS_MAX) this.#strays.shift();
    this.#strays.push({ sentBefore: this.#sentCount, error });
    this.#settle();
  }

  /** Fails the requests that the strays belong to, once there are enough strays for all of them. */
  #settle(): void {
    const last = this.#strays.at(-1);
    if (last === undefined) return;
    const meant = [...this.#waiting].flatMap(([id, { sentBefore }]) =>
      sentBefore < last.sentBefore ? [id] : []
    );
    if (meant.length > this.#strays.length) return;
    const errors = this.#strays.map(({ error }) => error);
    this.#strays = [];
    const [only] = errors;
    for (const id of meant) {
      // With several strays, nothing tells which error belongs to which request.
      const error = errors.length === 1 && only !== undefined
        ? only
        : { code: MALFORMED_ANSWER, message: "it does not name the request that it answers" };
      this.#fail(id, error);
    }
  }

  #fail(id: RequestId, error: RpcError): void {
    this.#waiting.delete(id);
    this.#options.deliver({ jsonrpc: "2.0", id, error: { ...error } });
    this.#settle();
  }
}

const NESTING_MAX = 8;

/** The same value without null members: servers in Go and Java write null for absent members. */
function withoutNulls<T>(value: T, depth = 0): T {
  if (typeof value !== "object" || value === null || depth > NESTING_MAX) return value;
  if (Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== null)
    .map(([name, each]) => [name, withoutNulls(each, depth + 1)]);
  return Object.fromEntries(entries) as T;
}
