import type { SecretMask } from "../secret_mask.ts";
import { tellingLine } from "./telling_line.ts";

const LINES_MAX = 20;
/** Of standard output, where only messages belong. */
const OUTPUT_LINES_MAX = 5;
const OUTPUT_CHARACTERS_MAX = 2_048;
const CHARACTERS_MAX = 16_384;

/** How a child process ended, as far as known. */
export interface ChildEnd {
  /** `exit code 1` or `signal SIGKILL`; null: the process has not ended, or never started. */
  readonly exit: string | null;
  /** The last lines of its standard error, oldest first, without secrets. */
  readonly stderr: readonly string[];
}

/** A child process failed. Holds its last output. */
export class ChildFailure extends Error {
  override readonly name = "ChildFailure";
  constructor(message: string, readonly end: ChildEnd, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * Collects a child's last lines and how the child ended: at most 20 lines and 16,384 characters of
 * standard error, and 5 lines of standard output.
 */
export class ChildReport {
  readonly #mask: Pick<SecretMask, "apply">;
  #lines: string[] = [];
  #characters = 0;
  #output: string[] = [];
  #exit: string | null = null;

  constructor(mask: Pick<SecretMask, "apply">) {
    this.#mask = mask;
  }

  /**
   * Keeps a line of standard error.
   *
   * @returns the kept line, masked and trimmed.
   */
  hear(line: string): string {
    const shown = this.#mask.apply(line.trimEnd());
    this.#lines.push(shown);
    this.#characters += shown.length;
    while (this.#lines.length > LINES_MAX || this.#characters > CHARACTERS_MAX) {
      const oldest = this.#lines.shift();
      if (oldest === undefined) break;
      this.#characters -= oldest.length;
    }
    return shown;
  }

  /** Keeps a line of standard output that is not a message: some servers write the reason there. */
  hearOutput(line: string): void {
    // Masks before cutting, so that no part of a secret stays.
    const shown = this.#mask.apply(line.slice(0, 2 * OUTPUT_CHARACTERS_MAX));
    this.#output.push(shown.slice(0, OUTPUT_CHARACTERS_MAX));
    if (this.#output.length > OUTPUT_LINES_MAX) this.#output.shift();
  }

  /** The line that tells most about what went wrong; null if there is none. */
  telling(): string | null {
    return tellingLine([...this.#output, ...this.#lines]);
  }

  ended({ code, signal }: Pick<Deno.CommandStatus, "code" | "signal">): void {
    this.#exit = signal === null ? `exit code ${code}` : `signal ${signal}`;
  }

  /**
   * The failure, with how the child ended and the line that tells why.
   *
   * @param reason the error that the service saw; left out if the end of the process says the same.
   */
  failure(reason: string, cause?: unknown): ChildFailure {
    const telling = this.telling();
    const exit = this.#exit === null ? null : `the process ended with ${this.#exit}`;
    const isSame = exit !== null && isEndOfPipe(reason);
    const facts = [
      ...(isSame || reason === "" ? [] : [reason]),
      ...(exit === null ? [] : [exit]),
      ...(telling === null ? [] : [`it wrote: ${telling}`]),
    ];
    const end = { exit: this.#exit, stderr: [...this.#lines] };
    return new ChildFailure(capitalised(facts.join("; ")), end, { cause });
  }
}

/** True for the errors of a pipe whose other process has ended. */
function isEndOfPipe(reason: string): boolean {
  return /^(Connection closed|The connection ended|Not connected|Broken pipe.*)$/i.test(reason);
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Finds the child's end in a failure or its causes; null if there is none. */
export function childEndOf(error: unknown): ChildEnd | null {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; depth++) {
    if (each instanceof ChildFailure) return each.end;
    each = each.cause;
  }
  return null;
}
