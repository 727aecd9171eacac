import { chromium } from "playwright-core";
import { Hono } from "hono";
import { consoleRoutes } from "../src/console/console_routes.tsx";
import type { AuditEvent } from "../src/model/event.ts";
import { consoleFixture, PEOPLE } from "../tests/console/console_fixture.ts";
import {
  chainOf,
  execution,
  EXECUTIONS,
  SHOP_NOW,
  shopRecords,
} from "../tests/console/shop_records.ts";

/**
 * Takes the screenshots of the console for the documentation. They show the invented shop of the
 * console's tests, so that the same code gives the same pictures.
 *
 *     deno run -A scripts/console_screenshots.ts [FOLDER] [--all]
 *
 * `--all` takes every page at 360 and 1,440 px, light and dark, to look at while changing the look.
 */

const SHOWN = [
  { name: "execution", path: `/console/executions/${EXECUTIONS.denied}`, scheme: "light" },
  { name: "executions", path: "/console/executions", scheme: "dark" },
  { name: "usage", path: "/console/usage", scheme: "light" },
  { name: "policy", path: "/console/policy?call=orders.refund&sub=ada", scheme: "dark" },
] as const;

const ALL = [
  { name: "executions", path: "/console/executions" },
  { name: "execution", path: `/console/executions/${EXECUTIONS.denied}` },
  { name: "execution-failed", path: `/console/executions/${EXECUTIONS.failed}` },
  { name: "catalog", path: "/console/catalog" },
  { name: "tool", path: "/console/catalog/tool?server=orders&name=list" },
  { name: "tool-drift", path: "/console/catalog/tool?server=calendar&name=moveEvent" },
  { name: "policy", path: "/console/policy?call=orders.refund&sub=ada" },
  { name: "usage", path: "/console/usage" },
  { name: "audit", path: "/console/audit" },
  { name: "audit-record", path: "/console/audit?effect=deny&open=main%2314" },
  { name: "missing", path: "/console/nothing" },
] as const;

const takesAll = Deno.args.includes("--all");
const folder = Deno.args.find((argument) => !argument.startsWith("--")) ?? "docs/images";
await Deno.mkdir(folder, { recursive: true });

const fixture = await consoleFixture({
  anonymous: PEOPLE["key-ada"] ?? null,
  records: chainOf([...earlierExecutions(), ...shopRecords().map(asEvent)]),
});
const app = new Hono().route("/console", consoleRoutes(fixture.deps));
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
const browser = await chromium.launch({
  executablePath: Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  const shots = takesAll
    ? ALL.flatMap((shot) =>
      (["light", "dark"] as const).flatMap((scheme) =>
        [360, 1440].map((width) => ({ ...shot, scheme, width, fullPage: true }))
      )
    )
    : SHOWN.map((shot) => ({ ...shot, width: 1280, fullPage: false }));
  for (const { name, path, scheme, width, fullPage } of shots) {
    const file = takesAll ? `${name}-${width}-${scheme}.png` : `console-${name}.png`;
    await shoot(path, `${folder}/${file}`, { scheme, width, fullPage });
    console.error(`${folder}/${file}`);
  }
} finally {
  await browser.close();
  fixture.close();
  await server.shutdown();
}

async function shoot(
  path: string,
  file: string,
  look: {
    readonly scheme: "light" | "dark";
    readonly width: number;
    readonly fullPage: boolean;
  },
): Promise<void> {
  const page = await browser.newPage({
    viewport: { width: look.width, height: 800 },
    colorScheme: look.scheme,
    deviceScaleFactor: takesAll ? 1 : 1.5,
    reducedMotion: "reduce",
  });
  await page.goto(`http://127.0.0.1:${server.addr.port}${path}`);
  if (path.startsWith("/console/policy")) {
    await page.getByLabel("Arguments, JSON").fill('{"id": "ord-00007", "amount": 40}');
    await page.getByRole("button", { name: "Explain" }).click();
    await page.locator(".verdict").waitFor();
    await page.evaluate("scrollTo(0, 0)");
  }
  if (path === "/console/executions") await page.getByText("Live", { exact: true }).waitFor();
  if (path === "/console/usage") await page.locator("canvas").nth(3).waitFor();
  await page.screenshot({ path: file, fullPage: look.fullPage });
  await page.close();
}

/** More successful executions, so that the list looks like a working day. */
function earlierExecutions() {
  const people = ["nightly-report", "ada", "grace", "ci-bot", "linus", "ada", "nightly-report"];
  return people.flatMap((sub, index) =>
    execution(
      `019ee8e${index}-5c${index}e-7d${index}4-8b2f-6a9c0d${index}4e17b`,
      sub,
      SHOP_NOW - 5_400_000 + index * 540_000,
      index === 3 ? "timeout" : "ok",
      [
        { tool: "orders.list", effect: "allow", ms: 120 + index * 17, offset: 12 },
        { tool: "customers.batchGet", effect: "allow", ms: 64, offset: 190 },
      ].slice(0, 1 + index % 2) as Parameters<typeof execution>[4],
    )
  );
}

function asEvent(record: ReturnType<typeof shopRecords>[number]): AuditEvent & { at: number } {
  const { v: _v, chain: _chain, seq: _seq, ts, prev: _prev, ...event } = record;
  return { ...event, at: Date.parse(ts) };
}
