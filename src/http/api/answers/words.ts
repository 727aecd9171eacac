/** The closed sets of words in answers, and schemas that zod lacks. */
import { z } from "zod";
import type { Effect } from "../../../model/decision.ts";
import type { Json, JsonSchema } from "../../../model/json/json.ts";
import type { Access } from "../../../model/tool.ts";
import type { ShownEffect } from "../../../model/verdict.ts";

export const AccessSchema = z.enum(["read", "write", "destructive"]) satisfies z.ZodType<Access>;

const EFFECTS = ["allow", "ask", "deny"] as const satisfies readonly Effect[];
export const EffectSchema = z.enum(EFFECTS);
/** Effects of a visible tool: denied tools are not shown. */
export const VisibleEffectSchema = z.enum(["allow", "ask"]);
/** Effects of a tool in the lists of operators, which also show hidden tools. */
export const ListedEffectSchema = z.enum(["allow", "ask", "hidden"]);
/** Effects of a decision; `hidden`: the tool does not exist for the caller. */
export const DecidedEffectSchema = z.enum([...EFFECTS, "hidden"]);
export const ShownEffectSchema = wordOf<ShownEffect>();

/** A word of a set that grows with the service; documents call it a text, so it can grow. */
export function wordOf<Word extends string>(): z.ZodType<Word> {
  return z.custom<Word>((value) => typeof value === "string").meta({ type: "string" });
}

/** Any JSON value. */
export const JsonValueSchema: z.ZodType<Json> = z.custom<Json>();

/** A JSON Schema as a tool declares it. */
export const JsonSchemaSchema: z.ZodType<JsonSchema> = z.union([
  z.record(z.string(), z.unknown()),
  z.boolean(),
]);
