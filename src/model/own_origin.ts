/**
 * Whether a request comes from a page of this service, or from no page at all.
 *
 * Browsers send cookies, and requests without a preflight, to every port of a host: a site is not
 * an origin. The check therefore compares scheme, host and port of the sender. Other programs send
 * no origin; only their credentials identify them.
 *
 * @param publicUrl the base URL that clients use, if it differs from the one in the request.
 * @see Fetch Metadata Request Headers; RFC 6454, section 7
 */
export function isOwnOrigin(request: Request, publicUrl: string | undefined): boolean {
  const site = request.headers.get("sec-fetch-site");
  // `none`: a person typed the address or took a bookmark.
  if (site !== null && site !== "same-origin" && site !== "none") return false;
  const origin = request.headers.get("origin");
  if (origin === null) return true;
  return origin === originAsReached(request) ||
    (publicUrl !== undefined && origin === new URL(publicUrl).origin);
}

/** The origin of the address that the client used; null if its Host header is not valid. */
function originAsReached(request: Request): string | null {
  const { protocol, host } = new URL(request.url);
  const reached = `${protocol}//${request.headers.get("host") ?? host}`;
  return URL.canParse(reached) ? new URL(reached).origin : null;
}
