import { exitCodeOf } from "../src/cli/exit_code.ts";
import { STATUS_OF_CODE } from "../src/http/problem.ts";
import { ERROR_CODES, type ErrorCode } from "../src/model/errors.ts";

/** The file of the page of all error codes. */
export const ERROR_PAGE = new URL("../docs/errors.md", import.meta.url);

const HEAD = `# Errors

Every error of toolgate has a code that does not change, a message that says what could not be done and
why, and a hint that says what to do. A program finds them as \`error.code\`, \`error.message\` and
\`error.hint\`; the answer of \`execute\` has them in \`error\`. The API answers a request that fails with
a problem document (RFC 9457) and the HTTP status named here; a command ends with the exit code.

This page is written by \`deno task docs\` from \`src/model/errors.ts\`.
`;

/** The page of all error codes, as unformatted Markdown. */
export function errorPage(): string {
  const entries = Object.entries(ERROR_CODES).map(([code, { means, remedy }]) => {
    const known = code as ErrorCode;
    const status = STATUS_OF_CODE[known];
    const http = status === undefined ? "" : `HTTP ${status}, `;
    return `\n## ${code}\n\n${means} ${remedy} (${http}exit code ${exitCodeOf(known)})\n`;
  });
  return HEAD + entries.join("");
}

if (import.meta.main) await Deno.writeTextFile(ERROR_PAGE, errorPage());
