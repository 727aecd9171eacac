import type { ServerState } from "../model/catalog.ts";
import type { PathResolver, UpstreamKind } from "./upstreams/upstream_kind.ts";
import {
  type SettingsOf,
  UPSTREAM_KINDS,
  type UpstreamSection,
  type UpstreamSections,
} from "./upstreams/upstream_kinds.ts";

/** One upstream of the configuration, with the name of its section. */
export type ConfiguredUpstream<S extends UpstreamSection = UpstreamSection> = {
  readonly [K in S]: {
    readonly section: K;
    readonly name: string;
    readonly settings: SettingsOf[K];
  };
}[S];

const KINDS: { readonly [S in UpstreamSection]: UpstreamKind<SettingsOf[S]> } = UPSTREAM_KINDS;
const SECTIONS = Object.keys(UPSTREAM_KINDS) as UpstreamSection[];

/** All upstreams of a configuration, section by section, in the order of the file. */
export function configuredUpstreams(config: UpstreamSections): ConfiguredUpstream[] {
  return SECTIONS.flatMap((section) => upstreamsIn(config, section));
}

/** The upstream with this name; undefined if the configuration has none. */
export function findUpstream(
  config: UpstreamSections,
  name: string,
): ConfiguredUpstream | undefined {
  return configuredUpstreams(config).find((upstream) => upstream.name === name);
}

/** Every section with the paths of its upstreams made absolute. */
export function resolveUpstreamPaths<Config extends UpstreamSections>(
  config: Config,
  paths: PathResolver,
): Pick<Config, UpstreamSection> {
  return Object.fromEntries(
    SECTIONS.map((section) => [section, resolveSection(config, section, paths)]),
  ) as Pick<Config, UpstreamSection>;
}

/** Whether people bring their own accounts to an upstream. */
export function takesAccounts<S extends UpstreamSection>(
  { section, settings }: ConfiguredUpstream<S>,
): boolean {
  return KINDS[section].takesAccounts(settings);
}

/** What an operator can do about an upstream that is not ready. */
export function remedyOf<S extends UpstreamSection>(
  { section, settings }: ConfiguredUpstream<S>,
  state: Pick<ServerState, "status" | "down">,
): string {
  return KINDS[section].remedy(settings, state);
}

/** The address to test whether an upstream answers; null if listing its tools proves that. */
export function addressToTry<S extends UpstreamSection>(
  { section, settings }: ConfiguredUpstream<S>,
): ReturnType<UpstreamKind<SettingsOf[S]>["addressToTry"]> {
  return KINDS[section].addressToTry(settings);
}

function upstreamsIn<S extends UpstreamSection>(
  config: UpstreamSections,
  section: S,
): ConfiguredUpstream<S>[] {
  return Object.entries<SettingsOf[S]>(config[section]).map(([name, settings]) => ({
    section,
    name,
    settings,
  }));
}

function resolveSection<S extends UpstreamSection>(
  config: UpstreamSections,
  section: S,
  paths: PathResolver,
): { readonly [name: string]: SettingsOf[S] } {
  return Object.fromEntries(
    Object.entries<SettingsOf[S]>(config[section])
      .map(([name, settings]) => [name, KINDS[section].resolvePaths(settings, paths)]),
  );
}
