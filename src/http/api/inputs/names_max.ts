/** Maximum of groups, scopes or spaces in one request. */
export const NAMES_MAX = 1_000;
