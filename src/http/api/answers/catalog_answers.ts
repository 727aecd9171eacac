import { z } from "zod";
import type { DefinitionChange, ToolDiff } from "../../../catalog/diff_definition.ts";
import type { Definition } from "../../../catalog/pin.ts";
import type { DownReport, QuarantinedTool, ServerState } from "../../../model/catalog.ts";
import type { Tool, ToolHints } from "../../../model/tool.ts";
import type {
  DecidedTool,
  NamedDiff,
  PinsByServer,
  ShownTool,
  ToolList,
  ToolRow,
} from "../../../operations/catalog.ts";
import { objectOf } from "./object_of.ts";
import { AccessSchema, JsonSchemaSchema, JsonValueSchema, ListedEffectSchema } from "./words.ts";

export const ServerStateSchema = objectOf<ServerState>({
  server: z.string(),
  serverIdentifier: z.string(),
  title: z.string(),
  description: z.string().optional(),
  status: z.enum(["starting", "ready", "stale", "down"]),
  error: z.string().nullable(),
  toolCount: z.int(),
  listedAt: z.number().nullable(),
  down: objectOf<DownReport>({
    since: z.number(),
    retryAt: z.number().nullable(),
    exit: z.string().nullable(),
    stderr: z.array(z.string()),
  }).optional(),
});

/** Answer of `GET /tools`. */
export const ToolListSchema = objectOf<ToolList>({
  tools: z.array(objectOf<ToolRow>({
    name: z.string(),
    server: z.string(),
    title: z.string(),
    description: z.string(),
    access: AccessSchema,
    effect: ListedEffectSchema,
    pin: z.string(),
  })),
  quarantined: z.array(objectOf<QuarantinedTool>({
    server: z.string(),
    name: z.string(),
    reason: z.enum(["malformed", "collision", "pending", "drift", "blocked"]),
    detail: z.string(),
  })),
  servers: z.array(ServerStateSchema),
});

const RequestLineSchema = objectOf<{ readonly method: string; readonly path: string }>({
  method: z.string(),
  path: z.string(),
});

const KindSchema = z.enum(["tool", "resource", "prompt"]);

/** Answer of `GET /tools/:name`. */
export const ShownToolSchema = objectOf<ShownTool>({
  id: z.string(),
  server: z.string(),
  name: z.string(),
  serverIdentifier: z.string(),
  identifier: z.string(),
  kind: KindSchema,
  title: z.string(),
  description: z.string(),
  inputSchema: JsonSchemaSchema,
  listedInputSchema: JsonSchemaSchema.optional(),
  outputSchema: JsonSchemaSchema.nullable(),
  hints: objectOf<ToolHints>({
    readOnly: z.boolean().optional(),
    destructive: z.boolean().optional(),
    idempotent: z.boolean().optional(),
    openWorld: z.boolean().optional(),
  }),
  tags: z.array(z.string()),
  http: RequestLineSchema.nullable(),
  schemaNotes: z.array(z.string()).optional(),
  pin: z.string(),
  aliases: z.array(z.string()).optional(),
  observed: objectOf<NonNullable<Tool["observed"]>>({
    schema: JsonSchemaSchema,
    results: z.int(),
  }).optional(),
  access: AccessSchema,
  effect: ListedEffectSchema,
  declaration: z.string(),
});

const DefinitionSchema = objectOf<Definition>({
  kind: KindSchema,
  name: z.string(),
  title: JsonValueSchema,
  description: JsonValueSchema,
  inputSchema: JsonValueSchema,
  outputSchema: JsonValueSchema,
  annotations: JsonValueSchema,
  http: RequestLineSchema.optional(),
  server: z.string(),
  identity: z.string(),
});

/** Answer of `GET /tools/:name/diff`. */
export const NamedDiffSchema = objectOf<NamedDiff>({
  server: z.string(),
  name: z.string(),
  diff: objectOf<ToolDiff>({
    server: z.string(),
    name: z.string(),
    state: z.enum(["approved", "pending", "drift", "blocked"]),
    change: z.enum(["cosmetic", "semantic"]).nullable(),
    changes: z.array(objectOf<DefinitionChange>({
      path: z.string(),
      before: z.string().nullable(),
      after: z.string().nullable(),
    })),
    approvedPin: z.string().nullable(),
    pin: z.string(),
    definition: DefinitionSchema,
  }).nullable(),
});

/** Answer of `POST /tools/:name/approve` and `…/block`. */
export const DecidedToolSchema = objectOf<DecidedTool>({
  approved: z.string().optional(),
  blocked: z.string().optional(),
  pin: z.string(),
});

/** Answer of `GET /pins`. */
export const PinsAnswerSchema = objectOf<{ readonly pins: PinsByServer }>({
  pins: z.record(z.string(), z.record(z.string(), z.string())),
});
