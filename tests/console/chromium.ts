import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import axeSource from "axe-core/axe.min.js" with { type: "text" };

/** Debian's Chromium, or the one that `CHROMIUM` names. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = Deno.env.get("CHROMIUM") ?? await findOnPath("chromium");
  if (executablePath === null) {
    throw new Error(
      "Cannot test the console in a browser: there is no Chromium. " +
        "Install it (apt-get install -y chromium) or name it in CHROMIUM",
    );
  }
  return await chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

async function findOnPath(name: string): Promise<string | null> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      if ((await Deno.stat(`${folder}/${name}`)).isFile) return `${folder}/${name}`;
    } catch {
      continue;
    }
  }
  return null;
}

/** What went wrong in a page and where it wanted to go. */
export interface PageWatch {
  /** Errors and warnings of the console, uncaught exceptions, dialogs. */
  readonly problems: string[];
  /** Requests to any other origin. */
  readonly foreign: string[];
}

export function watchPage(page: Page, origin: string): PageWatch {
  const watch: PageWatch = { problems: [], foreign: [] };
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) {
      watch.problems.push(`${message.type()}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => watch.problems.push(`exception: ${error.message}`));
  page.on("dialog", (dialog) => {
    watch.problems.push(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) watch.foreign.push(url);
  });
  return watch;
}

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** Violations that axe-core finds in the page as it is, one line each. */
export async function findViolations(page: Page): Promise<string[]> {
  // As an expression of the debugger: the page's own policy allows no foreign script.
  await page.evaluate(axeSource);
  const violations = await page.evaluate<readonly Violation[]>(
    "axe.run().then(({ violations }) => violations)",
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary = "" }) =>
      `${id}: ${help}: ${html.slice(0, 200)} ${failureSummary}`
    )
  );
}

export type { Browser, BrowserContext, Page };
