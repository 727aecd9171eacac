import htmx from "htmx.org/dist/htmx.min.js" with { type: "text" };
import htmxSse from "htmx.org/dist/ext/hx-sse.min.js" with { type: "text" };
import uplot from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import { sha256Hex } from "../model/sha256.ts";
import chartsScript from "./assets/charts.js" with { type: "text" };
import consoleScript from "./assets/console.js" with { type: "text" };
import coloursStyle from "./assets/style/colours.css" with { type: "text" };
import elementsStyle from "./assets/style/elements.css" with { type: "text" };
import formsStyle from "./assets/style/forms.css" with { type: "text" };
import frameStyle from "./assets/style/frame.css" with { type: "text" };
import narrowStyle from "./assets/style/narrow.css" with { type: "text" };
import pagesStyle from "./assets/style/pages.css" with { type: "text" };
import partsStyle from "./assets/style/parts.css" with { type: "text" };
import tablesStyle from "./assets/style/tables.css" with { type: "text" };
import icon from "./assets/icon.svg" with { type: "text" };

/** One file for the browser. It is part of the program text, so every package contains it. */
export interface Asset {
  /** File name with a hash of the content, so the content of this name never changes. */
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

/** The order matters: later styles override earlier ones. */
const STYLES = [
  coloursStyle,
  elementsStyle,
  frameStyle,
  partsStyle,
  formsStyle,
  tablesStyle,
  pagesStyle,
  narrowStyle,
];

const ASSETS = {
  style: asset("console", "css", STYLE, STYLES.join("\n")),
  script: asset("console", "js", SCRIPT, [htmx, htmxSse, consoleScript].join("\n;\n")),
  chartStyle: asset("charts", "css", STYLE, uplotStyle),
  chartScript: asset("charts", "js", SCRIPT, [uplot, chartsScript].join("\n;\n")),
  icon: asset("icon", "svg", "image/svg+xml", icon),
} as const;

const BY_NAME: ReadonlyMap<string, Asset> = new Map(
  Object.values(ASSETS).map((entry) => [entry.name, entry]),
);

/** The path of an asset, for a page. */
export function assetPath(key: keyof typeof ASSETS): string {
  return `/console/assets/${ASSETS[key].name}`;
}

export function findAsset(name: string): Asset | null {
  return BY_NAME.get(name) ?? null;
}

function asset(stem: string, extension: string, type: string, text: string): Asset {
  const hash = sha256Hex(text).slice(0, 12);
  return { name: `${stem}-${hash}.${extension}`, type, text };
}
