import type { z } from "zod";
import { GateError } from "../model/errors.ts";

/**
 * Input of the API in the shape of a schema.
 *
 * @param what `body` or `query`, for the message.
 * @throws {GateError} `ERR_BAD_REQUEST` that names up to five places.
 */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown, what: string): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.slice(0, 5).map((issue) =>
    `${issue.path.join(".") || what}: ${issue.message}`
  );
  throw new GateError("ERR_BAD_REQUEST", `Invalid ${what}: ${places.join("; ")}`, {
    hint: "See /api/v1/openapi.json",
  });
}
