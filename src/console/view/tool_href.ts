/** The page of one tool. */
export function toolHref(server: string, name: string): string {
  return `/console/catalog/tool?${new URLSearchParams({ server, name })}`;
}
