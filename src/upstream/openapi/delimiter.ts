import type { Delimiter, ParameterStyle } from "./operation.ts";

/** The character between the items of a list that is one value. */
export function delimiterOf(style: ParameterStyle): Delimiter {
  switch (style) {
    case "spaceDelimited":
      return " ";
    case "pipeDelimited":
      return "|";
    case "tabDelimited":
      return "\t";
  }
  return ",";
}
