import type { z } from "zod";
import { describeIssues } from "../../model/describe_issues.ts";
import { GateError } from "../../model/errors.ts";

/**
 * Parses input of the API with a schema.
 *
 * @param what `body` or `query`, for the message.
 * @throws {GateError} `ERR_BAD_REQUEST` that names up to five places.
 */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown, what: string): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new GateError(
    "ERR_BAD_REQUEST",
    `Invalid ${what}: ${describeIssues(parsed.error.issues, what)}`,
    {
      hint: "See /api/v1/openapi.json",
    },
  );
}
