/** Outlines of 24 by 24, drawn in the colour of the text. */
const PATHS = {
  executions: "M5 4v16l14-8z",
  catalog: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  policy: "M12 3l8 3v6c0 4.5-3.2 7.6-8 9-4.8-1.4-8-4.5-8-9V6zM9 12l2 2 4-4",
  usage: "M4 20h16M7 20v-7M12 20V5M17 20v-10",
  audit: "M6 3h9l4 4v14H6zM14 3v5h5M9 13h7M9 17h5",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon next to a word with the same meaning, so screen readers skip the icon. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.7"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}

/** A gate: two posts, a bar, and an arrow through it. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <path
        d="M4 4v16M20 4v16M4 8h16M8 15h7m-3-3 3 3-3 3"
        fill="none"
        stroke="currentColor"
        stroke-width="2"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
