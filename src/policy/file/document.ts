import type { LimitRule } from "../../model/limit_rule.ts";
import type { Access } from "../../model/tool.ts";
import type { Place } from "./policy_error.ts";
import type {
  GroupSpec,
  OutputRules,
  PolicyTest,
  RuleSpec,
  ServerToolsSpec,
  SpaceSpec,
} from "./schema.ts";

/** A value of a policy file and its place. */
export type Placed<T> = T & {
  readonly place: Place;
  /** The place of a key inside the value: `placeOf("tools", 0)`. */
  readonly placeOf: PlaceOf;
};

export type PlaceOf = (...path: PropertyKey[]) => Place;

/** The fields of a rule without its verb; a new field of the schema is included automatically. */
type RuleFields = Omit<RuleSpec, "allow" | "ask" | "deny" | "by" | "expires" | "covers" | "max">;

/** One rule of any verb, with every default. */
export interface Rule
  extends Readonly<Omit<RuleFields, "tools" | "for" | "scopes" | "when" | "message">> {
  readonly effect: "allow" | "ask" | "deny";
  readonly access: readonly Access[];
  /** Tool patterns; null means every tool. */
  readonly tools: readonly string[] | null;
  /** Groups, one of which is enough; null means every principal. */
  readonly for: readonly string[] | null;
  /** OAuth scopes, all of which are needed. */
  readonly scopes: readonly string[];
  /** A CEL condition; null means always. */
  readonly when: string | null;
  readonly message: string;
  /** What an `ask` demands; null for the other verbs. */
  readonly approval: {
    readonly by: string;
    readonly expiresMs: number;
    readonly covers: "call" | "tool";
    readonly max: number | null;
  } | null;
}

/** One or more policy files, merged by `parsePolicy`; not yet checked against any tool. */
export interface PolicyDocument {
  /** Names of the files' policies, sorted and joined with `+`. */
  readonly name: string;
  /** `observe` if every file says so; a single observing file only marks its own rules. */
  readonly mode: "enforce" | "observe";
  readonly groups: ReadonlyMap<string, Placed<GroupSpec>>;
  readonly tools: ReadonlyMap<string, Placed<ServerToolsSpec>>;
  /** Null: there is one space, `default`, with every tool. */
  readonly spaces: ReadonlyMap<string, Placed<SpaceSpec>> | null;
  readonly rules: readonly Placed<Rule>[];
  readonly limits: readonly Placed<LimitRule>[];
  readonly output: OutputRules;
  readonly tests: readonly Placed<PolicyTest>[];
  /** The texts of the policy files, in the order of their paths. */
  readonly files: readonly PolicyText[];
}

export interface PolicyText {
  readonly path: string;
  readonly text: string;
}
