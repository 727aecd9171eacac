import type { Access, Tool } from "../model/tool.ts";
import type { PolicyDocument } from "./file/document.ts";
import { compileGlob } from "../model/glob.ts";
import { compileNamePattern, type ToolName } from "./tool_pattern.ts";

/** What the policy says about tools: class, price, trust. */
export interface ToolClasses {
  readonly classify: (tool: Tool) => Access;
  /** US dollars per call; 0 without a price. */
  readonly price: (tool: Tool) => number;
  readonly isUntrusted: (tool: Tool) => boolean;
}

type NameMatcher = (tool: ToolName) => boolean;

interface ServerClasses {
  readonly isServer: NameMatcher;
  readonly classes: readonly (readonly [Access, NameMatcher])[];
  readonly prices: readonly (readonly [number, NameMatcher])[];
  readonly isUntrusted: NameMatcher;
}

const SEVERITY: readonly Access[] = ["destructive", "write", "read"];

/**
 * Compiles the `tools:` section. The most severe matching class and the highest matching price win.
 *
 * A tool without a matching pattern is destructive, unless it is an HTTP operation of an API that
 * the operator has configured: then its HTTP method gives the class. The policy ignores hints of an
 * upstream.
 */
export function compileClasses(tools: PolicyDocument["tools"]): ToolClasses {
  const servers = [...tools].map(([name, spec]): ServerClasses => {
    const isName = compileGlob(name);
    return {
      isServer: (tool) => isName(tool.server) || isName(tool.serverIdentifier),
      classes: SEVERITY.flatMap((access) =>
        (spec[access] ?? []).map((pattern) => [access, compileNamePattern(pattern)] as const)
      ),
      prices: Object.entries(spec.price ?? {})
        .map(([pattern, usd]) => [usd, compileNamePattern(pattern)] as const),
      isUntrusted: untrustedMatcher(spec.untrusted ?? false),
    };
  });
  const serversOf = (tool: Tool) => servers.filter(({ isServer }) => isServer(tool));
  return {
    classify(tool) {
      const matched = new Set<Access>();
      for (const { classes } of serversOf(tool)) {
        for (const [access, matches] of classes) if (matches(tool)) matched.add(access);
      }
      return SEVERITY.find((access) => matched.has(access)) ?? accessByMethod(tool) ??
        "destructive";
    },
    price(tool) {
      const prices = serversOf(tool).flatMap((server) => server.prices)
        .filter(([, matches]) => matches(tool))
        .map(([usd]) => usd);
      return Math.max(0, ...prices);
    },
    isUntrusted: (tool) => serversOf(tool).some((server) => server.isUntrusted(tool)),
  };
}

/**
 * The class of an HTTP method (RFC 9110, section 9.2); null if the tool is not an HTTP operation.
 */
export function accessByMethod(tool: Pick<Tool, "http">): Access | null {
  switch (tool.http?.method.toUpperCase()) {
    case undefined:
      return null;
    case "GET":
    case "HEAD":
      return "read";
    case "PUT":
    case "PATCH":
    case "POST":
      return "write";
    default:
      return "destructive";
  }
}

/** The class without a policy file: the hints of the upstream, or the most severe class. */
export function accessByHints(tool: Tool): Access {
  const byMethod = accessByMethod(tool);
  if (byMethod !== null) return byMethod;
  // In the protocol, reading a resource or fetching a prompt cannot change anything.
  if (tool.kind !== "tool" || tool.hints.readOnly === true) return "read";
  return tool.hints.destructive === false ? "write" : "destructive";
}

function untrustedMatcher(untrusted: boolean | readonly string[]): NameMatcher {
  if (typeof untrusted === "boolean") return () => untrusted;
  const matchers = untrusted.map(compileNamePattern);
  return (tool) => matchers.some((matches) => matches(tool));
}
