import type { SecretMask } from "./secret_mask.ts";

const LINES_MAX = 20;
const CHARACTERS_MAX = 16_384;

/** What is known of the end of a child process. */
export interface ChildEnd {
  /** `exit code 1` or `signal SIGKILL`; null: it has not ended, or was never started. */
  readonly exit: string | null;
  /** The last lines of its standard error, oldest first, without secrets. */
  readonly stderr: readonly string[];
}

/** A child process that is of no more use, with what it said last. */
export class ChildFailure extends Error {
  override readonly name = "ChildFailure";
  constructor(message: string, readonly end: ChildEnd, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Collects what a child says and how it ends: at most 20 lines and 16,384 characters. */
export class ChildReport {
  readonly #mask: Pick<SecretMask, "apply">;
  #lines: string[] = [];
  #characters = 0;
  #exit: string | null = null;

  constructor(mask: Pick<SecretMask, "apply">) {
    this.#mask = mask;
  }

  /** @returns the line as it is kept. */
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

  ended({ code, signal }: Pick<Deno.CommandStatus, "code" | "signal">): void {
    this.#exit = signal === null ? `exit code ${code}` : `signal ${signal}`;
  }

  /** The failure with how the child ended and the last thing it wrote. */
  failure(reason: string, cause?: unknown): ChildFailure {
    const last = this.#lines.at(-1)?.trim();
    const exit = this.#exit === null ? "" : `; it ended with ${this.#exit}`;
    const wrote = last === undefined ? "" : `; it wrote: ${last}`;
    const end = { exit: this.#exit, stderr: [...this.#lines] };
    return new ChildFailure(`${reason}${exit}${wrote}`, end, { cause });
  }
}

/** What a failure or its causes tell of a child's end; null if none does. */
export function childEndOf(error: unknown): ChildEnd | null {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; depth++) {
    if (each instanceof ChildFailure) return each.end;
    each = each.cause;
  }
  return null;
}
