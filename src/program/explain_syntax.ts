import { blankWrapping, fenceProblem } from "./blank_wrapping.ts";
import { placeOf } from "./program_forms.ts";
import { scanTokens, type Token } from "./scan_tokens.ts";

/** Why a text is not a program, and what to send instead. */
export interface SyntaxProblem {
  readonly message: string;
  readonly hint: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
}

/**
 * Finds the real mistake in a text that does not parse. A parser reports what it expected where it
 * stopped, but the author usually has to change another place.
 *
 * Only for texts that do not parse: a valid program may contain many of these patterns too.
 *
 * @returns null if the parser's message is the best one.
 */
export function explainSyntax(code: string): SyntaxProblem | null {
  const text = blankWrapping(code);
  const scan = scanTokens(text);
  const tokens = scan.ok ? scan.tokens : [];
  for (const look of LOOKS) {
    const found = look(text, tokens);
    if (found === null) continue;
    return { message: found.message, hint: found.hint, ...placeOf(text, found.offset) };
  }
  return null;
}

interface Found {
  readonly message: string;
  readonly hint: string;
  readonly offset: number;
}
type Look = (text: string, tokens: readonly Token[]) => Found | null;

const ONLY_CODE = "Send only the code, without prose, fences or <think>.";

/** Words that may follow a name in a valid program. */
const OPERATOR_WORDS: ReadonlySet<string> = new Set(["as", "in", "instanceof", "of", "satisfies"]);

const LOOKS: readonly Look[] = [
  (text) => {
    const message = fenceProblem(text);
    return message === null ? null : {
      message,
      hint: "Send only the code that is to run, without prose and fences.",
      offset: 0,
    };
  },
  (_text, tokens) => {
    const at = tokens.find(({ type, text }) => type === "word" && /^@[^@]/.test(text));
    return at === undefined ? null : {
      message: "Decorators are not supported",
      hint: `Take ${at.text} away and call what it stands for.`,
      offset: at.start,
    };
  },
  (_text, tokens) => {
    const at = tokens.find(({ type, text }, index) => {
      const next = tokens[index + 1];
      return type === "word" && text === "accessor" && next?.type === "word" &&
        !OPERATOR_WORDS.has(next.text);
    });
    return at === undefined ? null : {
      message: "accessor fields are not supported",
      hint: "Take the word accessor away: a plain field does the same here.",
      offset: at.start,
    };
  },
  byPattern(
    /^\s*\{\s*"(?:code|program|script)"\s*:/,
    "This is JSON around a program",
    "Send the program itself as the code.",
  ),
  (text, tokens) => {
    const jsx = /<\/[A-Za-z>]|\/>/.test(text)
      ? /(?:[=(,?:&|>{[;]|\breturn)\s{0,200}(<(?:>|[A-Za-z][\w.]{0,100}(?:\s[^<>]{0,500})?\/?>))/
        .exec(text)
      : null;
    const isText = tokens.some((token) =>
      (token.type === "string" || token.type === "template") && jsx !== null &&
      jsx.index >= token.start && jsx.index < token.end
    );
    return jsx === null || isText ? null : {
      message: "JSX is not supported",
      hint: "Return data, such as an array of objects; markup has to be a text.",
      offset: jsx.index + jsx[0].length - (jsx[1] ?? "").length,
    };
  },
  (text) => {
    const at = text.trim().includes("\n") ? null : /[;{})]\s{0,20}(\\r)?\\n/.exec(text);
    return at === null ? null : {
      message: "The line breaks of the program are written as \\n",
      hint: "Send real line breaks: the code was escaped once too often.",
      offset: text.indexOf("\\", at.index),
    };
  },
  byPattern(
    /&(?:gt|lt|amp|quot|apos|#39|#x27);/,
    "The program has HTML entities instead of characters",
    "Write the characters themselves, such as => and &&.",
  ),
  (_text, tokens) => {
    const at = tokens.find(({ text }) => /^[“”‘’„«»]$/.test(text));
    return at === undefined ? null : {
      message: "The program has typographic quotation marks",
      hint: "Write straight ones: \" or '.",
      offset: at.start,
    };
  },
  byPattern(
    /^[ \t]*(?:(?:async )?def \w{1,100}\s?\(|from [\w.]{1,100} import |elif |except\b[^\n{]{0,100}:|for \w{1,100} in [^\n{]{1,200}:[ \t]*$)/m,
    "This is Python",
    "Write the program in TypeScript or JavaScript.",
  ),
  byPattern(/<(?:think|thinking|reasoning)>/i, "There is text around the program", ONLY_CODE),
  (text) => {
    const lines = text.split("\n");
    const first = lines.findIndex((line) => line.trim() !== "");
    const last = lines.findLastIndex((line) => line.trim() !== "");
    const prose = [first, last].find((index) => isProse(lines[index] ?? ""));
    return prose === undefined ? null : {
      message: "There is prose around the program",
      hint: ONLY_CODE,
      offset: lines.slice(0, prose).join("\n").length + (prose === 0 ? 0 : 1),
    };
  },
];

function byPattern(pattern: RegExp, message: string, hint: string): Look {
  return (text) => {
    const found = pattern.exec(text);
    return found === null ? null : { message, hint, offset: found.index };
  };
}

const WORDS_MIN = 3;

/** Whether a line consists of words like a sentence, so that it is not a statement. */
function isProse(line: string): boolean {
  const text = line.trim().slice(0, 1_000);
  if (!/^[\p{Lu}][\p{L}\p{N}'’,.:;!?()"`\- ]+$/u.test(text)) return false;
  return text.split(/\s+/).filter((word) => /^[\p{L}'’]+[,.:;!?]?$/u.test(word)).length >=
    WORDS_MIN;
}
