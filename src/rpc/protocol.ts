/**
 * Messages between the service and a sandbox host, and between the host and its Worker.
 *
 * Service and host exchange frames over the child's stdin and stdout:
 *
 * ```
 * [u32 payload bytes][u8 frame type][u32 stamp][payload]        little endian
 * ```
 *
 * The host's main thread sets the frame type, never the Worker, so text of a program cannot become
 * a host message. The stamp of a frame from the host is the CPU time of the execution in
 * microseconds; towards the host it is 0.
 *
 * Host and Worker exchange strings. A string, and the payload of a `worker` or `replies` frame, is a
 * sequence of messages:
 *
 * ```
 * <kind> <id> <length> … <length>\n<field>…<field>             lengths in UTF-16 units
 * ```
 *
 * Lengths instead of separators: nothing inside a field can start a message of its own.
 *
 * This file imports nothing, and its functions use only their arguments and intrinsics, because the
 * Worker also gets the source text of `encodeMessage` and `createMessageReader`.
 */

/** Frame types. Upper case: service to host; lower case: host to service. */
export const FRAME = {
  /** The program of the next execution, JSON {@linkcode ProgramMessage}. */
  program: 0x50,
  /** Answers to calls: messages of kind `replyOk` and `replyError`. */
  replies: 0x52,
  /** The execution is over; the host answers with `idle` when it can take the next one. */
  end: 0x45,
  /** Asks for the CPU time so far; the host answers with `usage`. */
  ask: 0x51,
  /** A message of the host itself, JSON {@linkcode HostMessage}. */
  host: 0x68,
  /** Messages of the Worker. */
  worker: 0x77,
} as const;

export const FRAME_HEADER_BYTES = 9;

/** Message kinds, one character each. */
export const KIND = {
  /** `id`: call number. Fields: server, tool, JSON arguments. */
  call: "c",
  /** Fields: level, text. */
  log: "l",
  /** A note of the realm about the program. Field: text. */
  note: "n",
  /** The result. Fields: JSON text or empty, JSON {@linkcode Leftovers}. */
  done: "d",
  /** The program failed. Fields: JSON {@linkcode FailureMessage}, JSON {@linkcode Leftovers}. */
  failed: "f",
  /** The Worker dropped the realm of the ended execution and is responsive. */
  ended: "x",
  /**
   * Towards the Worker: start a program. Fields: JSON settings of the realm, names, JSON
   * `ProgramForm[]`, best first.
   */
  start: "s",
  /** Towards the Worker: drop the realm and answer with `ended`. `id` 1: make the next realm. */
  end: "e",
  /**
   * Towards the Worker: the value of a call. `id`: call number. Fields: JSON text, and the new time
   * of a seeded clock in milliseconds since the start (or empty).
   */
  replyOk: "o",
  /** Towards the Worker: a call failed. `id`: call number. Fields: JSON {@linkcode ReplyError}, as above. */
  replyError: "r",
} as const;

/** One message. */
export interface Message {
  readonly kind: string;
  readonly id: number;
  readonly fields: readonly string[];
}

/** Bounds that the program's realm enforces; the service checks them again. */
export interface RealmLimits {
  readonly toolCallsMax: number;
  /** UTF-16 units of the JSON arguments of one call. */
  readonly argumentCharsMax: number;
  /** UTF-16 units of arguments sent and not answered; further calls wait. */
  readonly windowChars: number;
  /** UTF-16 units of the JSON result. */
  readonly resultCharsMax: number;
  readonly logCharsMax: number;
  readonly logEntriesMax: number;
  readonly timersMax: number;
  /** Levels of arrays and objects in arguments and result. */
  readonly nestingMax: number;
}

/** Service to host: one execution. */
export interface ProgramMessage {
  readonly code: string;
  readonly realm: RealmLimits;
  /** JSON of `{server, tools}[]`: the names that `Object.keys(tools)` shows. Empty: unknown. */
  readonly names: string;
  readonly seed: { readonly epochMs: number; readonly random: string } | null;
}

/** The program inside a function, before its types are removed. */
export interface ProgramForm {
  /** An async function as one expression. */
  readonly text: string;
  /** `[line, column, columns]` that were added, 1-based, in order; nothing else moved. */
  readonly edits: readonly (readonly [number, number, number])[];
  /** Lines of the program itself. */
  readonly lines: number;
}

/** A message of the host's main thread. */
export type HostMessage =
  | { readonly kind: "ready"; readonly kernel: KernelReport; readonly workers: number }
  | { readonly kind: "idle"; readonly workers: number; readonly cpuTotalMs: number }
  | {
    /** The program does not parse. */
    readonly kind: "syntax";
    readonly message: string;
    readonly line: number | null;
    readonly column: number | null;
  }
  /** The stamp of the frame is the answer. */
  | { readonly kind: "usage" }
  | { readonly kind: "violation"; readonly what: string };

/** The active kernel features of a host; none on a platform without them. */
export interface KernelReport {
  readonly seccomp: boolean;
  /** Landlock ABI in force; 0: none. */
  readonly landlock: number;
  readonly rlimits: boolean;
  /** What is missing and why, for the operator. */
  readonly missing: readonly string[];
}

/** Timers and calls that were still open when the program ended. */
export interface Leftovers {
  readonly timers: number;
  readonly calls: number;
}

/** An uncaught error, as the realm describes it. */
export interface FailureMessage {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly line: number | null;
  readonly column: number | null;
  /** Number of the failed call that caused the error; null if the program itself caused it. */
  readonly call: number | null;
  /** Code of the realm's limit or rule that caused the error; null if there is none. */
  readonly code: string | null;
  readonly hint: string;
}

/** An error of a call, towards the program. */
export interface ReplyError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly tool: string;
}

/** One message as text. */
export function encodeMessage(kind: string, id: number, fields: readonly string[]): string {
  let head = kind + " " + id;
  let body = "";
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index]!;
    head += " " + field.length;
    body += field;
  }
  return head + "\n" + body;
}

/** Reads a sequence of messages. @returns null if it is invalid, or has more than `messagesMax` */
export type ReadMessages = (text: string, messagesMax: number) => Message[] | null;

/**
 * Makes a reader that keeps the current intrinsic methods, so that later changes have no effect.
 */
export function createMessageReader(): ReadMessages {
  const { bind, call } = Function.prototype;
  const slice = Reflect.apply(bind, call, [String.prototype.slice]) as (
    text: string,
    from: number,
    to: number,
  ) => string;
  const numbersMax = 4;
  const digitsMax = 10;

  return function readMessages(text, messagesMax) {
    const messages: Message[] = [];
    let position = 0;
    while (position < text.length) {
      const kind = text[position]!;
      if (messages.length >= messagesMax || kind === " " || kind === "\n") return null;
      // The id, then the lengths of the fields.
      const numbers: number[] = [];
      for (position++; text[position] !== "\n";) {
        if (text[position] !== " " || numbers.length >= numbersMax) return null;
        const start = ++position;
        let value = 0;
        while (text[position]! >= "0" && text[position]! <= "9") {
          value = value * 10 + +text[position++]!;
        }
        if (position === start || position - start > digitsMax) return null;
        numbers[numbers.length] = value;
      }
      if (numbers.length === 0) return null;
      position++;
      const fields: string[] = [];
      for (let index = 1; index < numbers.length; index++) {
        const end = position + numbers[index]!;
        if (end > text.length) return null;
        fields[index - 1] = slice(text, position, end);
        position = end;
      }
      messages[messages.length] = { kind, id: numbers[0]!, fields };
    }
    return messages;
  };
}

export const readMessages: ReadMessages = createMessageReader();
