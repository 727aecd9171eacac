interface PageLinksProps {
  readonly path: string;
  readonly query: { readonly [name: string]: string };
  /** 0-based. */
  readonly page: number;
  readonly pages: number;
}

/** Links to the previous and next page, if there are any. */
export function PageLinks({ path, query, page, pages }: PageLinksProps) {
  if (pages <= 1) return null;
  const href = (to: number) => {
    const given = Object.entries(query).filter(([, value]) => value !== "");
    const params = new URLSearchParams([...given, ...(to === 0 ? [] : [["page", String(to)]])]);
    return `${path}?${params}`;
  };
  return (
    <nav class="pages" aria-label="Pages">
      {page > 0 ? <a class="button" rel="prev" href={href(page - 1)}>Previous</a> : null}
      <span>
        Page {page + 1} of {pages}
      </span>
      {page < pages - 1 ? <a class="button" rel="next" href={href(page + 1)}>Next</a> : null}
    </nav>
  );
}
