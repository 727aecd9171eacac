/** A server answered with a redirect that toolgate does not follow. */
export class RedirectRefusedError extends TypeError {
  override readonly name = "RedirectRefusedError";
  /** As a part of a sentence: `the server answered with …`. */
  readonly words: string;

  constructor(method: string, status: number, target: URL | null, why: string) {
    // Without the query, which may hold secrets.
    const place = target === null ? "" : ` to ${target.origin}${target.pathname}`;
    const words =
      `a redirect${place} (HTTP ${status} for ${method}), which is not followed: ${why}`;
    super(`The server answered with ${words}`);
    this.words = words.slice(0, 500);
  }
}
