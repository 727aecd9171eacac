/** The closed sets of words in answers, and forms that zod has no word for. */
import { z } from "zod";
import type { Effect } from "../../../model/decision.ts";
import type { Json, JsonSchema } from "../../../model/json/json.ts";
import type { Access } from "../../../model/tool.ts";
import type { ShownEffect } from "../../../model/verdict.ts";

export const AccessSchema = z.enum(["read", "write", "destructive"]) satisfies z.ZodType<Access>;

const EFFECTS = ["allow", "ask", "deny"] as const satisfies readonly Effect[];
export const EffectSchema = z.enum(EFFECTS);
/** Of a tool: one that is denied is not shown. */
export const VisibleEffectSchema = z.enum(["allow", "ask"]);
/** Of a tool in lists of operators, which have the hidden ones, too. */
export const ListedEffectSchema = z.enum(["allow", "ask", "hidden"]);
/** Of a decision: a tool may not exist for the caller. */
export const DecidedEffectSchema = z.enum([...EFFECTS, "hidden"]);
export const ShownEffectSchema = wordOf<ShownEffect>();

/** One of a closed set of words that grows with the service, so that documents say text. */
export function wordOf<Word extends string>(): z.ZodType<Word> {
  return z.custom<Word>((value) => typeof value === "string").meta({ type: "string" });
}

/** Any JSON. */
export const JsonValueSchema: z.ZodType<Json> = z.custom<Json>();

/** A JSON Schema as a tool declares it. */
export const JsonSchemaSchema: z.ZodType<JsonSchema> = z.union([
  z.record(z.string(), z.unknown()),
  z.boolean(),
]);
